package pack

import (
	"context"
	"errors"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/store"
)

// Run packs and settles until ctx ends; then it returns nil. It asks the database only when something is to be done: when
// entries have waited for Config.Every or are too many, once an hour for days that are over, and soon after its start, for
// what was left by whoever ran before. What fails is logged and tried again later, and does not stop other projects.
func (p *Packer) Run(ctx context.Context) error {
	s := newSchedule(p)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(s.round(ctx)))
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-p.backlog.woken:
		}
	}
}

// Times of tries.
const (
	busyPause   = 2 * time.Second        // when somebody else has the project
	settlePause = 100 * time.Millisecond // the same, for who waits for its settling
	minPause    = time.Second            // after a failure; doubled with each
	maxPause    = 5 * time.Minute
)

// schedule decides what Run does when.
type schedule struct {
	packer  *Packer
	begin   time.Time           // before that nothing is done
	left    map[int64]bool      // projects with unpacked entries at the start, which may not be followed
	retries map[int64]retry     // of projects that were put off
	settles map[int64]time.Time // when projects with late readings are to be settled
	sweep   retry               // when all projects are looked at
}

// retry says when something that was put off is tried again.
type retry struct {
	at    time.Time
	pause time.Duration
}

func (r retry) next() retry {
	pause := min(max(2*r.pause, minPause), maxPause)
	return retry{time.Now().Add(pause), pause}
}

func newSchedule(p *Packer) *schedule {
	begin := time.Now().Add(min(p.cfg.StartPause, p.cfg.Every))
	return &schedule{
		packer: p, begin: begin, left: make(map[int64]bool), retries: make(map[int64]retry),
		settles: make(map[int64]time.Time), sweep: retry{at: begin},
	}
}

// round does all that is due and returns when something will be.
func (s *schedule) round(ctx context.Context) (next time.Time) {
	if !isDue(ctx, s.begin) {
		return s.begin
	}
	if isDue(ctx, s.sweep.at) {
		s.list(ctx)
	}
	due := s.packDue(ctx)
	if isDue(ctx, s.sweep.at) {
		s.settleAll(ctx)
	}
	for project, at := range s.settles {
		if isDue(ctx, at) {
			delete(s.settles, project)
			s.settle(ctx, project)
		}
	}
	next = earlier(due, s.sweep.at)
	for _, at := range s.settles {
		next = earlier(next, at)
	}
	return next
}

// packDue packs what is due, most urgent first, and returns when more will be. After many it returns at once, so that settling
// has its turn.
func (s *schedule) packDue(ctx context.Context) (next time.Time) {
	for range 100 {
		project, due := s.mostUrgent()
		if !isDue(ctx, due) {
			return due
		}
		s.pack(ctx, project)
	}
	return time.Now()
}

func isDue(ctx context.Context, at time.Time) bool { return ctx.Err() == nil && !time.Now().Before(at) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// mostUrgent returns which project is to be packed next, and when.
func (s *schedule) mostUrgent() (project int64, due time.Time) {
	cfg := &s.packer.cfg
	due = time.Now().Add(cfg.SettleEvery)
	consider := func(p int64, at time.Time) {
		if r, off := s.retries[p]; off {
			at = r.at
		}
		if at.Before(due) {
			project, due = p, at
		}
	}
	all, total := s.packer.backlog.list()
	most := 0
	for _, w := range all {
		if total > cfg.MaxUnpacked && w.readings > most && s.retries[w.project].pause == 0 {
			most = w.readings
			project, due = w.project, time.Time{}
		}
	}
	if most > 0 {
		return project, due
	}
	for _, w := range all {
		consider(w.project, w.since.Add(cfg.Every))
	}
	for p := range s.left {
		consider(p, time.Time{})
	}
	return project, due
}

// pack packs a project, or puts it off.
func (s *schedule) pack(ctx context.Context, project int64) {
	known := s.packer.backlog.known(project)
	late, err := s.packer.pack(ctx, project)
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, errBusy):
		s.retries[project] = retry{at: time.Now().Add(busyPause), pause: busyPause}
	case err != nil && !isGone(err):
		s.retries[project] = s.retries[project].next()
		s.failed(ctx, err, s.retries[project])
	default:
		s.packer.backlog.trim(project, known) // what a deleted project had is not packed and not there
		s.forget(project)
	}
	if late {
		if _, set := s.settles[project]; !set {
			s.settles[project] = time.Now().Add(s.packer.cfg.SettleLate)
		}
	}
}

// isGone reports whether err says that the project does not exist any more.
func isGone(err error) bool { return err != nil && fault.Of(err).Code == fault.NotFound }

func (s *schedule) forget(project int64) {
	delete(s.left, project)
	delete(s.retries, project)
}

// list looks for projects with unpacked entries, whoever left them.
func (s *schedule) list(ctx context.Context) {
	projects, err := store.Unpacked(ctx, s.packer.pool)
	if err != nil {
		s.sweep = s.sweep.next()
		s.failed(ctx, err, s.sweep)
		return
	}
	for _, project := range projects {
		s.left[project] = true
	}
}

// settleAll settles what is due of all projects. Those that somebody else is at it comes back for soon.
func (s *schedule) settleAll(ctx context.Context) {
	busy, err := s.packer.settle(ctx, 0, time.Now(), s.settling(ctx))
	if busy || err != nil {
		s.sweep = s.sweep.next()
	} else {
		s.sweep = retry{at: time.Now().Add(s.packer.cfg.SettleEvery)}
	}
	if err != nil {
		s.failed(ctx, err, s.sweep)
	}
}

// settle settles what is due of one project, or puts it off; if it fails, the next sweep does.
func (s *schedule) settle(ctx context.Context, project int64) {
	busy, err := s.packer.settle(ctx, project, time.Now(), s.settling(ctx))
	if busy {
		s.settles[project] = time.Now().Add(max(busyPause, s.packer.cfg.SettleLate))
	}
	if err != nil {
		s.failed(ctx, err, s.sweep)
	}
}

func (s *schedule) settling(ctx context.Context) settling {
	return settling{between: func() { s.packDue(ctx) }}
}

func (s *schedule) failed(ctx context.Context, err error, again retry) {
	if ctx.Err() != nil {
		return
	}
	s.packer.metrics.failures.Inc()
	s.packer.cfg.Log.ErrorContext(ctx, "packing failed and is tried again later", "error", err, "again", time.Until(again.at))
}
