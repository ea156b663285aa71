package analysis

import (
	"cmp"
	"context"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/readout-dev/readout/stats"
)

// Config sets the limits of an Engine; its zero value is right for one server process.
type Config struct {
	Parallel   int           // answers that are computed at once; 0 = GOMAXPROCS
	Goroutines int           // that compute them, all together; 0 = Parallel
	Waiting    int           // more that wait for a turn; 0 = 8 for each of Parallel, negative = none
	Patience   time.Duration // how long they wait; 0 = 2 s

	RawSummaries int // readings up to which none but they are read, where no values are needed; 0 = 500,000, negative = none
	RawValues    int // the same where values are needed; 0 = 500,000, negative = none
	// MaxValues is how many values an answer holds one by one, 8 bytes each, with those of the time before and their copies in
	// the totals; beyond it they become sketches. 0 = 4,000,000.
	MaxValues int
}

func (c Config) withDefaults() Config {
	c.Parallel = cmp.Or(c.Parallel, runtime.GOMAXPROCS(0))
	c.Goroutines = cmp.Or(c.Goroutines, c.Parallel)
	c.Waiting = max(cmp.Or(c.Waiting, 8*c.Parallel), 0)
	c.Patience = cmp.Or(c.Patience, 2*time.Second)
	c.RawSummaries = max(cmp.Or(c.RawSummaries, 500_000), 0)
	c.RawValues = max(cmp.Or(c.RawValues, 500_000), 0)
	c.MaxValues = cmp.Or(c.MaxValues, 4_000_000)
	return c
}

// goroutines is how many fold one answer.
const goroutines = 2

// Engine computes answers. Safe for concurrent use.
//
// Faults of its methods: Invalid for what cannot be asked, TooMany with a time to wait when others are computing, those
// of the source: Unavailable when the database is away.
type Engine struct {
	source    Source
	cfg       Config
	admission *admission
	folding   chan struct{} // room for the goroutines of all answers
}

// New returns an Engine that reads source.
func New(source Source, cfg Config) *Engine {
	cfg = cfg.withDefaults()
	return &Engine{
		source: source, cfg: cfg, admission: newAdmission(cfg.Parallel, cfg.Waiting, cfg.Patience),
		folding: make(chan struct{}, cfg.Goroutines),
	}
}

// Answer computes what r asks for. What is stored while it does may be seen or not, but no reading is seen twice.
func (e *Engine) Answer(ctx context.Context, r Request) (*Answer, error) {
	began := time.Now()
	leave, err := e.admission.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	x := newIndex(r.Groups)
	f, err := e.frame(ctx, x, &r)
	if err != nil {
		return nil, err
	}
	a := &Answer{
		Bounds: f.bounds, Window: r.Window, Shift: r.Shift, From: f.from(), To: f.to(), Groups: make([]Group, len(r.Groups)),
	}
	h := newHeld(e.cfg.MaxValues, r.NoTotals)
	now, err := e.foldWithin(ctx, x, r.Need, f, h)
	if err != nil {
		return nil, err
	}
	for i := range a.Groups {
		g := &a.Groups[i]
		g.Place = i
		g.Buckets, g.Total = now.group(i, r.NoTotals)
	}
	work := now.work
	if !r.Shift.IsZero() {
		then := f.shifted(r.Shift, r.Window.Zone)
		a.PreviousBounds = then.bounds
		earlier, err := e.foldWithin(ctx, x, r.Need, then, h)
		if err != nil {
			return nil, err
		}
		for i := range a.Groups {
			g := &a.Groups[i]
			g.Previous, g.PreviousTotal = earlier.group(i, r.NoTotals)
		}
		work = work.and(earlier.work)
	}
	a.Explain = work.explain(time.Since(began))
	return a, nil
}

// fold reads what a frame asks for and folds it, for an answer of nothing else.
func (e *Engine) fold(ctx context.Context, x *index, need stats.Need, f *frame) (*folded, error) {
	return e.foldWithin(ctx, x, need, f, newHeld(e.cfg.MaxValues, true))
}

// foldWithin is fold for a part of an answer that holds h.
func (e *Engine) foldWithin(ctx context.Context, x *index, need stats.Need, f *frame, h *held) (*folded, error) {
	need.Line = need.Line || len(need.Thresholds) > 0
	need.Plain = need.Plain && !need.Line
	t := &task{frame: f, index: x, need: need, held: h}
	all := &folded{task: t, grid: newGrid(x.groups, f.intervals())}
	if f.intervals() == 0 {
		return all, nil
	}
	folders, err := e.folders(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, f := range folders { // in order: so the rounding of sums is always the same
		if err := f.bound(); err != nil {
			return nil, err
		}
		all.grid.absorb(f.grid)
		all.work = all.work.and(f.work)
	}
	return all, nil
}

// folders returns what a task has given, in shares.
func (e *Engine) folders(ctx context.Context, t *task) ([]*folder, error) {
	all, found, err := e.look(ctx, t)
	if err != nil || all != nil {
		return []*folder{all}, err
	}
	shares, err := e.plan(ctx, t, found)
	if err != nil {
		return nil, err
	}
	folders := make([]*folder, len(shares))
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(goroutines)
	for i, s := range shares {
		folders[i] = newFolder(t, s, e.source)
		workers.Go(func() error {
			done, err := e.turn(ctx)
			if err != nil {
				return err
			}
			defer done()
			return folders[i].run(ctx)
		})
	}
	return folders, workers.Wait()
}

// turn waits until one more goroutine may fold; done ends it.
func (e *Engine) turn(ctx context.Context) (done func(), err error) {
	select {
	case e.folding <- struct{}{}:
		return func() { <-e.folding }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
