package graph

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// Live statistics are computed once a second at most, and where that takes long, a fifth of the time; so they are for newcomers,
// however many come.
const (
	livePace = time.Second
	liveRest = 4 // times as long as computing took
)

// liveStatistics is one execution of the subscription `statistics`: a question, a place in a project's journal, and what came
// in behind it since the last answer. While nothing comes in it computes nothing, unless it is timed. One goroutine has it.
type liveStatistics struct {
	*Resolver
	question
	ctx          context.Context // of the execution, for its rights and the fields that it asks for
	project      int64
	where        db.SeriesWhereInput
	entire       bool // each answer is computed as a whole
	completeness bool // it is asked for

	place    *place // nil before the first answer
	narrowed bool   // only what may change the answer comes from place
	answered bool   // there was a first answer

	groups []*group
	of     map[int64]*group // by series
	others idSet            // series that the filter or the rules leave out
	bounds []int64          // of the buckets of the last answer
	begin  int64            // where its range began
	sent   sent
	kept   atomic.Pointer[analysis.Answer] // what who comes is shown, until there is another answer, or one is due; nil: none

	touched   *touched
	committed time.Time      // when the newest of what came in was
	ahead     ahead          // readings with a time in the future, of a range that has no end
	strange   map[int64]bool // series that were not met before
	whole     bool           // what came in needs all of the answer again
	regroup   bool           // the series that match are to be looked for: some may be new, or gone
	due       time.Time      // not before this there is another answer
}

var _ transport.Stream[[]*gql.StatisticGroup] = (*liveStatistics)(nil)

// subscribeStatistics plans a subscription, or starts its execution.
func (r *Resolver) subscribeStatistics(ctx context.Context, in *int64, where db.SeriesWhereInput, q question) (<-chan []*gql.StatisticGroup, error) {
	id, err := r.followProject(ctx, in, &where)
	if err != nil {
		return nil, err
	}
	if transport.Planning(ctx) {
		plan := r.share(ctx, id)
		plan.Share += q.moment()
		return transport.Propose[[]*gql.StatisticGroup](ctx, plan)
	}
	where.AddPredicates(series.ProjectID(id))
	return transport.Pull(ctx, &liveStatistics{
		Resolver: r, question: q, ctx: ctx, project: id, where: where, entire: q.entire(),
		completeness: mentions(graphql.GetFieldContext(ctx).Field.Selections, "completeness"),
		of:           map[int64]*group{}, others: idSet{}, sent: sent{}, strange: map[int64]bool{},
	})
}

// Close implements transport.Stream.
func (l *liveStatistics) Close() {
	if l.place != nil {
		l.place.Close()
	}
}

// Place implements transport.Stream: an answer has none.
func (l *liveStatistics) Place() int64 { return 0 }

// Until implements transport.Stream.
func (l *liveStatistics) Until(int64) {}

// moment tells ranges apart that were said in the same words at different times ("-24h"): those who share an answer came within
// a minute, and within a hundredth of the range's length.
func (q *question) moment() (text string) {
	step := time.Minute.Microseconds()
	if q.from != nil {
		step = max(1, min(step, (q.end(q.now)-*q.from)/100))
	}
	for _, t := range []*int64{q.from, q.to} {
		if t != nil {
			text += " " + strconv.FormatInt(*t/step, 10)
		}
	}
	return text
}

// end is where the range ends at a moment.
func (q *question) end(now time.Time) int64 {
	if q.to != nil {
		return *q.to
	}
	return now.UnixMicro()
}

// entire reports whether an answer has to be computed as a whole: for its totals, by which groups are ranked too, when
// buckets are filled from others, and when there is only one.
func (q *question) entire() bool {
	return q.totals || q.fill == stats.FillPrevious || q.fill == stats.FillLinear || q.window.Every.IsZero()
}

// mentions reports whether a field of a name is selected, at whatever depth, also where @skip leaves it out.
func mentions(set ast.SelectionSet, name string) bool {
	return slices.ContainsFunc(set, func(s ast.Selection) bool {
		switch s := s.(type) {
		case *ast.Field:
			return s.Name == name || mentions(s.SelectionSet, name)
		case *ast.InlineFragment:
			return mentions(s.SelectionSet, name)
		case *ast.FragmentSpread:
			return mentions(s.Definition.SelectionSet, name)
		}
		return false
	})
}

// timed reports whether a bucket's statistics change with time alone until it ends: those of which the expected readings are
// a part, and those of the earlier time that it is compared with, whose readings are long there.
func (l *liveStatistics) timed() bool { return l.completeness || !l.shift.IsZero() }

// First implements transport.Stream: a newcomer gets the whole answer. Who was here before and lagged behind is also told what
// is not in it any more.
func (l *liveStatistics) First(ctx context.Context, again bool) ([]*gql.StatisticGroup, transport.Mark, error) {
	if !l.answered {
		return l.start(ctx)
	}
	a := l.kept.Load()
	if a == nil {
		err := l.inTurn(ctx, func(ctx context.Context, now time.Time) (err error) {
			if a, err = l.analysed(ctx, now); err == nil {
				l.keep(a, rest(now))
			}
			return err
		})
		if err != nil {
			return nil, transport.Mark{}, err
		}
	}
	return l.introduce(a, again), transport.Mark{Live: true}, nil
}

// Next implements transport.Stream: what has changed.
func (l *liveStatistics) Next(ctx context.Context) ([]*gql.StatisticGroup, transport.Mark, error) {
	if !l.answered {
		return l.start(ctx)
	}
	for {
		err := l.gather(ctx)
		if errors.Is(err, live.ErrReset) {
			err = l.restart(ctx)
		}
		if err != nil {
			return nil, transport.Mark{}, err
		}
		changed, err := l.refresh(ctx)
		if err != nil || len(changed) > 0 {
			mark := transport.Mark{Committed: l.committed}
			l.committed = time.Time{}
			return changed, mark, err
		}
	}
}

// start computes the first answer, from a place before it: what comes behind that is looked at again.
func (l *liveStatistics) start(ctx context.Context) ([]*gql.StatisticGroup, transport.Mark, error) {
	if l.place == nil {
		after, _ := l.Journal.Applied(l.project)
		l.place = l.placeAt(l.project, after)
		l.regroup = true
	}
	changed, err := l.refresh(ctx)
	if err != nil {
		return nil, transport.Mark{}, err
	}
	l.answered = true
	return append([]*gql.StatisticGroup{}, changed...), transport.Mark{Live: true}, nil // a list, even of none
}

// restart begins again where the journal does not hold the place any more: all that was sent may have changed.
func (l *liveStatistics) restart(ctx context.Context) error {
	l.place.Close()
	after, _ := l.Journal.Applied(l.project)
	l.place = l.placeAt(l.project, after)
	l.narrowed, l.regroup = false, true
	l.sent.again()
	return sleep(ctx, time.Until(l.due))
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// gather returns when something has come in that may change the answer, and another one is due.
func (l *liveStatistics) gather(ctx context.Context) error {
	for {
		if err := l.narrow(); err != nil {
			return err
		}
		until, ok := l.wake()
		if ok && !time.Now().Before(until) {
			return nil
		}
		if !ok {
			until = time.Time{}
		}
		entry, ok, err := l.place.await(ctx, until)
		if err != nil {
			return err
		}
		if ok {
			l.take(entry)
		}
	}
}

// narrow has only those entries come that may change the answer, once it is known which series match.
func (l *liveStatistics) narrow() error {
	if l.place.renewed() {
		l.regroup = true
	}
	for !l.narrowed && !l.regroup {
		missing := l.place.Narrow(l.concern())
		for _, id := range missing {
			l.strange[id] = true
		}
		if err := l.meet(l.ctx); err != nil {
			return err
		}
		l.narrowed = len(missing) == 0
	}
	return nil
}

func (l *liveStatistics) concern() map[int64]bool {
	concern := make(map[int64]bool, len(l.of)+l.others.count())
	for id := range l.others.all {
		concern[id] = false
	}
	for id := range l.of {
		concern[id] = true
	}
	return concern
}

// wake returns when there is something to do; ok is false when that is not known.
func (l *liveStatistics) wake() (at time.Time, ok bool) {
	if l.touched.any() || len(l.strange) > 0 || l.regroup {
		return l.due, true
	}
	next, ok := l.ahead.next()
	if end, ends := l.ending(); ends && (!ok || end < next) {
		next, ok = end, true
	}
	if at = time.UnixMicro(next); at.Before(l.due) {
		at = l.due
	}
	return at, ok
}

// ending returns when the last bucket has ended; ok is false when that changes nothing.
func (l *liveStatistics) ending() (t int64, ok bool) {
	if !l.timed() || l.to != nil || l.window.Every.IsZero() || len(l.bounds) == 0 {
		return 0, false
	}
	return l.bounds[len(l.bounds)-1] + 1, true // the range reaches beyond it then
}

// take notes what an entry may change.
func (l *liveStatistics) take(entry journal.Entry) {
	l.committed = entry.At
	for id, run := range entry.Runs {
		switch g := l.of[id]; {
		case g != nil:
			l.takeReadings(g, run)
		case !l.others.has(id):
			l.strange[id] = true
		}
	}
	for _, d := range entry.Deletions {
		switch g := l.of[d.Series]; {
		case g == nil:
		case d.Whole():
			l.regroup = true // the series itself may be gone
		case d.From < d.To:
			l.touched.span(g, d.From, d.To-1)
		}
	}
}

// takeReadings notes readings of a group. What lies in the future is not in a range that ends now.
func (l *liveStatistics) takeReadings(g *group, run []reading.Reading) {
	if l.to == nil {
		past := firstFrom(run, time.Now().UnixMicro())
		for _, r := range run[past:] {
			l.ahead.add(r.Time)
		}
		run = run[:past]
	}
	l.touched.readings(g, run)
}
