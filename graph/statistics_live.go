package graph

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/ent/rule"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// Live statistics are computed once a second at most, and where that takes long, a fifth of the time.
const (
	livePace = time.Second
	liveRest = 4 // times as long as computing took
)

// liveStatistics is one running subscription to statistics: a question, a place in a project's journal, and what came in
// behind it since the last answer. While nothing comes in it computes nothing, unless it is timed. One goroutine has it.
type liveStatistics struct {
	*Resolver
	question
	project      int64
	where        db.SeriesWhereInput
	entire       bool // each answer is computed as a whole
	completeness bool // it is asked for
	events       chan<- []*gql.StatisticGroup

	groups []*group
	of     map[int64]*group // by series; nil those that the filter or the rules leave out
	bounds []int64          // of the buckets of the last answer
	begin  int64            // where its range began
	sent   sent

	touched *touched
	ahead   ahead          // readings with a time in the future, of a range that has no end
	strange map[int64]bool // series that were not met before
	whole   bool           // what came in needs all of the answer again
	regroup bool           // the series that match are to be looked for: some may be new, or gone
	due     time.Time      // not before this there is another answer
}

// subscribeStatistics starts a subscription; it runs until ctx ends, or something that it cannot go on without: see end.
func (r *Resolver) subscribeStatistics(ctx context.Context, in *int64, where db.SeriesWhereInput, q question) (<-chan []*gql.StatisticGroup, error) {
	if _, err := where.P(); err != nil && err != db.ErrEmptySeriesWhereInput { //nolint:errorlint // wrapped, it is of a part
		return nil, err
	}
	id, err := r.projectOf(ctx, in, &where)
	if err != nil {
		return nil, err
	}
	if err := rule.Require(ctx, r.Client, id, auth.Viewer); err != nil {
		return nil, err
	}
	if err := r.Journal.Follow(ctx, id); err != nil {
		return nil, err
	}
	where.AddPredicates(series.ProjectID(id))
	events := make(chan []*gql.StatisticGroup, 1)
	l := &liveStatistics{
		Resolver: r, question: q, project: id, where: where, entire: q.entire(), events: events,
		completeness: mentions(graphql.GetFieldContext(ctx).Field.Selections, "completeness"),
		of:           map[int64]*group{}, sent: sent{}, ahead: ahead{}, strange: map[int64]bool{},
	}
	go func() {
		defer close(events)
		if err := l.run(ctx); err != nil && ctx.Err() == nil {
			r.end(ctx, err)
		}
	}()
	return events, nil
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

// run sends the whole answer, and then what changes. Where the journal does not hold the place any more, it begins again.
func (l *liveStatistics) run(ctx context.Context) error {
	for {
		after, _ := l.Journal.Applied(l.project) // before the answer: what comes behind it is looked at again
		err := l.start(ctx)
		if err == nil {
			err = l.follow(ctx, after)
		}
		if !errors.Is(err, live.ErrReset) {
			return err
		}
		l.sent.again()
		if err := sleep(ctx, time.Until(l.due)); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// start sends the whole answer.
func (l *liveStatistics) start(ctx context.Context) error {
	l.regroup = true
	changed, err := l.compute(ctx)
	if err != nil {
		return err
	}
	return l.send(ctx, append([]*gql.StatisticGroup{}, changed...)) // a list, even of none
}

// follow takes in the entries behind an offset, and sends what they change when it is time.
func (l *liveStatistics) follow(ctx context.Context, after int64) error {
	place := l.Hub.Subscribe(l.project, after)
	defer place.Close()
	for {
		if err := l.gather(ctx, place); err != nil {
			return err
		}
		if err := l.refresh(ctx); err != nil {
			return err
		}
	}
}

// gather returns when something has come in that may change the answer, and another one is due.
func (l *liveStatistics) gather(ctx context.Context, place *live.Subscription) error {
	for {
		until, ok := l.wake()
		if ok && !time.Now().Before(until) {
			return nil
		}
		if err := l.takeNext(ctx, place, until, ok); err != nil {
			return err
		}
	}
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

// takeNext takes the next entry in, if it comes before a moment; with limited = false, whenever it comes.
func (l *liveStatistics) takeNext(ctx context.Context, place *live.Subscription, until time.Time, limited bool) error {
	wait := ctx
	if limited {
		var cancel context.CancelFunc
		wait, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	entry, err := place.Next(wait)
	switch {
	case err == nil:
		l.take(entry)
		return nil
	case ctx.Err() == nil && wait.Err() != nil:
		return nil // it is time
	}
	return err
}

// take notes what an entry may change.
func (l *liveStatistics) take(entry journal.Entry) {
	for id, run := range reading.Runs(entry.Readings) {
		switch g, known := l.of[id]; {
		case !known:
			l.strange[id] = true
		case g != nil:
			l.takeReadings(g, run)
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

// refresh sends what has changed.
func (l *liveStatistics) refresh(ctx context.Context) error {
	changed, err := l.compute(ctx)
	if err != nil || len(changed) == 0 {
		return err
	}
	return l.send(ctx, changed)
}

func (l *liveStatistics) send(ctx context.Context, groups []*gql.StatisticGroup) error {
	select {
	case l.events <- groups:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
