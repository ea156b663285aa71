package graph

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// maxStretches is how many parts of an answer are computed one by one; all of it is, where there are more.
const maxStretches = 8

// refresh returns what is not as it was sent.
func (l *liveStatistics) refresh(ctx context.Context) (changed []*gql.StatisticGroup, err error) {
	err = l.inTurn(ctx, func(ctx context.Context, now time.Time) (err error) {
		l.kept.Store(nil) // who comes from now on is not told of what changes here
		changed, err = l.computeAt(ctx, now)
		l.due = time.Now().Add(rest(now))
		return err
	})
	return changed, err
}

// inTurn computes. Where too much else is being computed, it waits and tries again, until ctx ends.
func (l *liveStatistics) inTurn(ctx context.Context, compute func(ctx context.Context, now time.Time) error) error {
	for {
		err := l.computeOnce(compute)
		if !fault.Is(err, fault.TooMany) {
			return err
		}
		if err := sleep(ctx, max(fault.Of(err).RetryAfter, livePace)); err != nil {
			return err
		}
	}
}

// computeOnce computes, when it is our turn: live statistics take one place at the engine together, so that the others are for
// those who wait for an answer. Once begun it is only cut off with the execution, not when somebody comes who is to have the
// answer, too. What came in is forgotten only when it is done.
func (l *liveStatistics) computeOnce(compute func(ctx context.Context, now time.Time) error) error {
	l.computing.Lock()
	defer l.computing.Unlock()
	began := time.Now()
	limited, cancel := context.WithTimeout(l.ctx, queryTimeout)
	defer cancel()
	err := compute(limited, began)
	if err != nil && l.ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		err = fault.Wrap(err, fault.TooLarge, "these statistics take too long to be kept live: ask for less at once")
	}
	return err
}

// rest is how long nothing is computed after a computation that began at a moment.
func rest(began time.Time) time.Duration { return max(livePace, liveRest*time.Since(began)) }

// keep has an answer shown to all who come within a time, unless there is another one.
func (l *liveStatistics) keep(a *analysis.Answer, within time.Duration) {
	l.kept.Store(a)
	time.AfterFunc(within, func() { l.kept.CompareAndSwap(a, nil) })
}

// introduce returns all of an answer for those who come; with again also what was sent once and is not there any more. What they
// are shown otherwise than it was sent is looked at again, with what came in: they are told then what became of it.
func (l *liveStatistics) introduce(a *analysis.Answer, again bool) []*gql.StatisticGroup {
	keys, groups := keysOf(l.groups, a), show(l.groups, a, l.fill)
	l.sent.differ(keys, groups, l.totals, l.completeness)
	if again {
		groups = l.sent.bury(keys, groups, &a.Window)
	}
	return append([]*gql.StatisticGroup{}, groups...)
}

// analysed asks the engine for all of the answer.
func (l *liveStatistics) analysed(ctx context.Context, now time.Time) (*analysis.Answer, error) {
	if len(l.groups) == 0 {
		return &analysis.Answer{Window: l.window}, nil
	}
	request := l.request(l.groups)
	request.Now = now
	a, err := l.Analysis.Answer(ctx, request)
	if err != nil {
		return nil, err
	}
	l.rank(a)
	return a, nil
}

func (l *liveStatistics) computeAt(ctx context.Context, now time.Time) ([]*gql.StatisticGroup, error) {
	if err := l.meet(ctx); err != nil {
		return nil, err
	}
	if l.regroup {
		if err := l.look(ctx); err != nil {
			return nil, err
		}
	}
	if from, to, ok := l.ahead.take(now.UnixMicro()); ok {
		for _, g := range l.groups {
			l.touched.span(g, from, to)
		}
	}
	bounds, runs, ok, err := l.affected(now)
	switch {
	case err != nil:
		return nil, err
	case ok && len(runs) == 0: // all that came in is of other times
		l.touched = l.untouched()
		return nil, nil
	case ok && len(runs) <= maxStretches && !l.entire:
		if changed, ok, err := l.computePart(ctx, bounds, runs, now); ok || err != nil {
			return changed, err
		}
	}
	return l.computeWhole(ctx, now)
}

// affected returns the bounds that the answer has now, and the runs of its buckets that may have changed; ok is false when
// all of it may have.
func (l *liveStatistics) affected(now time.Time) (bounds []int64, runs [][2]int, ok bool, err error) {
	if l.whole || len(l.bounds) == 0 || l.from == nil && l.touched.first() {
		return nil, nil, false, nil
	}
	bounds, err = l.window.Bounds(l.begin, l.end(now))
	if err != nil || len(bounds) < len(l.bounds) || !slices.Equal(bounds[:len(l.bounds)], l.bounds) {
		return nil, nil, false, err
	}
	return bounds, l.touched.affected(bounds, l.need.Line, l.timed()), true, nil
}

// meet asks whether the filter matches the series that were not met before.
func (l *liveStatistics) meet(ctx context.Context) error {
	for ids := range slices.Chunk(slices.Collect(maps.Keys(l.strange)), maxStatisticSeries) {
		q, err := l.where.Filter(l.Client.Series.Query().Where(series.IDIn(ids...)))
		if err != nil {
			return err
		}
		matched, err := q.IDs(ctx)
		if err != nil {
			return err
		}
		slices.Sort(matched)
		others := slices.DeleteFunc(ids, func(id int64) bool {
			_, matches := slices.BinarySearch(matched, id)
			return matches
		})
		for _, id := range others {
			l.others.add(id)
		}
		l.place.Decline(others...)
		l.regroup = l.regroup || len(matched) > 0 // which finds them
	}
	clear(l.strange)
	return nil
}

// look finds the groups of the series that match now. All of the answer is computed then; until it is known what concerns it,
// everything does.
func (l *liveStatistics) look(ctx context.Context) error {
	l.place.Widen()
	l.narrowed = false
	there := l.place.Narrow(nil) // if there are none: only those that are strange then
	found, err := l.Resolver.groups(ctx, &l.where, l.question)
	if err != nil {
		return err
	}
	l.groups, l.regroup, l.whole = found, false, true
	clear(l.of)
	for _, g := range found {
		for _, s := range g.series {
			l.of[s.ID] = g
		}
	}
	for _, id := range there { // before we looked
		if l.of[id] == nil {
			l.others.add(id)
		}
	}
	return nil
}

// computeWhole computes all of the answer.
func (l *liveStatistics) computeWhole(ctx context.Context, now time.Time) (changed []*gql.StatisticGroup, err error) {
	a, err := l.analysed(ctx, now)
	if err != nil {
		return nil, err
	}
	keys := keysOf(l.groups, a)
	changed = l.sent.changes(keys, show(l.groups, a, l.fill), part{math.MinInt64, math.MaxInt64, &a.Window, l.totals, l.completeness})
	l.bounds, l.begin, l.whole = a.Bounds, a.From, false
	l.touched = l.untouched()
	return append(changed, l.sent.gone(keys, a.From, a.To)...), nil
}

// computePart computes some runs of the buckets between bounds, of the groups that they may have changed of; ok is false when
// they are not as they would be in the whole.
func (l *liveStatistics) computePart(
	ctx context.Context, bounds []int64, runs [][2]int, now time.Time,
) (changed []*gql.StatisticGroup, ok bool, err error) {
	groups := l.groups
	if len(bounds) == len(l.bounds) || l.fill == stats.FillNone && !l.timed() { // else buckets of each group have begun or ended
		groups = slices.DeleteFunc(slices.Clone(groups), func(g *group) bool { return !l.touched.groups[g] })
	}
	requests := make([]analysis.Request, len(runs))
	for i, run := range runs {
		if requests[i], ok = l.requestPart(groups, bounds, run, now); !ok {
			return nil, false, nil
		}
	}
	answers := make([]*analysis.Answer, len(runs))
	for i, request := range requests {
		if answers[i], err = l.Analysis.Answer(ctx, request); err != nil {
			return nil, false, err
		}
	}
	l.bounds = bounds
	l.touched = l.untouched()
	return l.changesOf(groups, answers), true, nil
}

// requestPart asks for a run of the buckets between bounds alone. ok is false where these do not have the same place by
// themselves: months that are counted from the 31st.
func (l *liveStatistics) requestPart(groups []*group, bounds []int64, run [2]int, now time.Time) (request analysis.Request, ok bool) {
	request = l.request(groups)
	request.Now = now
	from, to := max(bounds[run[0]], l.begin), bounds[run[1]]
	if run[1] == len(bounds)-1 {
		to = l.end(now)
	}
	request.From, request.To = &from, &to
	alone, err := l.window.Bounds(from, to)
	return request, err == nil && slices.Equal(alone, bounds[run[0]:run[1]+1])
}

// changesOf returns what is not as it was sent of some parts of the answer, each group once.
func (l *liveStatistics) changesOf(groups []*group, answers []*analysis.Answer) (changed []*gql.StatisticGroup) {
	byKey := map[string]*gql.StatisticGroup{}
	for _, a := range answers {
		keys := keysOf(groups, a)
		p := part{from: a.Bounds[0], to: a.Bounds[len(a.Bounds)-1], window: &a.Window, extent: l.completeness}
		for i, g := range show(groups, a, l.fill) {
			for _, g := range l.sent.changes(keys[i:i+1], []*gql.StatisticGroup{g}, p) {
				if first := byKey[keys[i]]; first != nil {
					first.Buckets = append(first.Buckets, g.Buckets...)
					continue
				}
				byKey[keys[i]] = g
				changed = append(changed, g)
			}
		}
	}
	return changed
}

// keysOf returns the keys of an answer's groups.
func keysOf(groups []*group, a *analysis.Answer) []string {
	keys := make([]string, len(a.Groups))
	for i, g := range a.Groups {
		keys[i] = keyOf(groups[g.Place].order)
	}
	return keys
}

// untouched is the beginning behind an answer.
func (l *liveStatistics) untouched() *touched {
	if l.shift.IsZero() {
		return newTouched(l.bounds)
	}
	before := make([]int64, len(l.bounds))
	for i, b := range l.bounds {
		before[i] = l.shift.Shift(b, -1, l.window.Zone)
		if i > 0 {
			before[i] = max(before[i], before[i-1])
		}
	}
	return newTouched(l.bounds, before)
}
