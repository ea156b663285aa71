package graph

import (
	"cmp"
	"slices"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/stats"
)

// sent is what a client of live statistics has been told, so that it need not be told again: groups by their keys.
type sent map[string]*sentGroup

// sentGroup is a group as the client knows it.
type sentGroup struct {
	shown   *gql.StatisticGroup // without its buckets; of one that is gone, with no series
	total   uint64              // digest
	buckets map[int64]sentBucket
}

// sentBucket is a bucket, by its start.
type sentBucket struct {
	end    int64
	digest uint64
}

// What stands for a digest: of what is to be sent again whatever it is, and of a bucket that was sent and then said to be gone.
const (
	unknown = 0
	gone    = 1
)

// again makes all that was sent count as changed.
func (s sent) again() {
	for _, g := range s {
		g.total = unknown
		for start, b := range g.buckets {
			g.buckets[start] = sentBucket{end: b.end, digest: unknown}
		}
	}
}

// differ makes all that a newcomer is shown otherwise than it was sent count as changed: that it was sent without being there now,
// that it is there without having been sent, and that it is another one. keys are those of the groups, which are the whole answer.
func (s sent) differ(keys []string, shown []*gql.StatisticGroup, totals, extent bool) {
	for i, g := range shown {
		known := s[keys[i]]
		if known == nil || known.buckets == nil {
			known = &sentGroup{shown: without(g), buckets: map[int64]sentBucket{}}
			known.shown.Series = noSeries
			s[keys[i]] = known
		}
		if known.shown.Series != g.Series || !equal(known.shown.Unit, g.Unit) {
			known.shown.Series = noSeries
		}
		if totals && known.total != analysis.Digests([]*analysis.Statistic{g.Total}, extent)[0] {
			known.total = unknown
		}
		known.differ(g.Buckets, extent)
	}
	for key, g := range s {
		if g.shown.Series != 0 && !slices.Contains(keys, key) {
			g.shown.Series = noSeries
			g.differ(nil, extent)
		}
	}
}

// noSeries is a count that no group has, and that none was said to be gone with: it is sent, or said to be gone, at the next look.
const noSeries = -1

func (g *sentGroup) differ(now []*analysis.Statistic, extent bool) {
	same := make(map[int64]bool, len(now))
	for i, d := range analysis.Digests(now, extent) {
		start, end := now[i].Start().UnixMicro(), now[i].End().UnixMicro()
		if same[start] = g.buckets[start] == (sentBucket{end, d}); !same[start] {
			g.buckets[start] = sentBucket{end, unknown}
		}
	}
	for start, b := range g.buckets {
		if b.digest != gone && !same[start] {
			g.buckets[start] = sentBucket{b.end, unknown}
		}
	}
}

// part is the part of an answer that is looked at: the buckets that begin in a range of time, and maybe the totals.
type part struct {
	from, to int64 // µs; exclusive
	window   *stats.Window
	totals   bool
	extent   bool // see analysis.Digests
}

// changes returns those of the groups that are not as they were sent, with only the buckets that are not, and notes them.
// keys are those of the groups. Buckets that were sent and are not there any more come as empty ones.
func (s sent) changes(keys []string, shown []*gql.StatisticGroup, p part) (changed []*gql.StatisticGroup) {
	for i, g := range shown {
		known := s[keys[i]]
		fresh := known == nil || known.shown.Series != g.Series || !equal(known.shown.Unit, g.Unit)
		if known == nil || known.buckets == nil {
			known = &sentGroup{buckets: map[int64]sentBucket{}}
			s[keys[i]] = known
		}
		if p.totals {
			total := analysis.Digests([]*analysis.Statistic{g.Total}, p.extent)[0]
			fresh = fresh || known.total != total
			known.total = total
		}
		g.Buckets = known.changes(g.Buckets, p)
		if known.shown = without(g); fresh || len(g.Buckets) > 0 {
			changed = append(changed, g)
		}
	}
	return changed
}

// gone returns the groups that were sent and are none of keys: of no series, and without buckets.
func (s sent) gone(keys []string, from, to int64) (gone []*gql.StatisticGroup) {
	for key, g := range s {
		if g.shown.Series == 0 || slices.Contains(keys, key) {
			continue
		}
		g.shown.Series, g.shown.Total, g.total = 0, analysis.NewEmpty(from, to, nil), unknown
		gone = append(gone, g.shown)
		if g.buckets = nil; len(s) > mostGone {
			delete(s, key)
		}
	}
	return gone
}

// mostGone is of how many groups it is remembered that some are gone.
const mostGone = 2 * maxStatisticSeries

// bury adds to a whole answer, whose groups have keys, what was sent and is not there any more: for who may not have been told.
func (s sent) bury(keys []string, whole []*gql.StatisticGroup, window *stats.Window) []*gql.StatisticGroup {
	for i, g := range whole {
		if known := s[keys[i]]; known != nil {
			g.Buckets = inOrder(append(known.gone(g.Buckets, window), g.Buckets...))
		}
	}
	for key, g := range s {
		if g.shown.Series == 0 && !slices.Contains(keys, key) {
			whole = append(whole, g.shown)
		}
	}
	return whole
}

// gone returns empty buckets for those that are gone, and not among those that are there now.
func (g *sentGroup) gone(now []*analysis.Statistic, window *stats.Window) (empty []*analysis.Statistic) {
	for start, b := range g.buckets {
		there := func(s *analysis.Statistic) bool { return s.Start().UnixMicro() == start }
		if b.digest == gone && !slices.ContainsFunc(now, there) {
			empty = append(empty, analysis.NewEmpty(start, b.end, window))
		}
	}
	return empty
}

func equal(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

func without(g *gql.StatisticGroup) *gql.StatisticGroup {
	c := *g
	c.Total, c.Buckets = nil, []*analysis.Statistic{}
	return &c
}

// changes returns those of the buckets that are not as they were sent, in order of time, and notes them.
func (g *sentGroup) changes(all []*analysis.Statistic, p part) []*analysis.Statistic {
	changed := []*analysis.Statistic{}
	there := make(map[int64]bool, len(all))
	for i, d := range analysis.Digests(all, p.extent) {
		start := all[i].Start().UnixMicro()
		there[start] = true
		if now := (sentBucket{all[i].End().UnixMicro(), d}); g.buckets[start] != now {
			g.buckets[start] = now
			changed = append(changed, all[i])
		}
	}
	for start, b := range g.buckets {
		if b.digest != gone && !there[start] && p.from <= start && start < p.to {
			changed = append(changed, analysis.NewEmpty(start, b.end, p.window))
			g.buckets[start] = sentBucket{end: b.end, digest: gone}
		}
	}
	return inOrder(changed)
}

func inOrder(buckets []*analysis.Statistic) []*analysis.Statistic {
	slices.SortFunc(buckets, func(a, b *analysis.Statistic) int {
		return cmp.Or(a.Start().Compare(b.Start()), a.End().Compare(b.End()))
	})
	return buckets
}
