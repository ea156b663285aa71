package graph

import (
	"context"
	"sync"

	"github.com/readout-dev/readout/analysis"
)

// maxNoted is how many series of a project are noted one by one; a query that reads more is taken to read them all.
const maxNoted = 10_000

// reads notes the series whose readings are read under a context, in whatever way: one by one, newest or as statistics.
// Safe for concurrent use.
type reads struct {
	journal Follower

	mu       sync.Mutex
	projects map[int64]*seriesRead
	lost     bool // something was read of a project that could not be followed
}

// seriesRead is what was read of one project.
type seriesRead struct {
	place  int64          // all that was read holds the journal's entries up to here
	series map[int64]bool // true; nil: all
}

type readsKey struct{}

func (r *reads) within(ctx context.Context) context.Context {
	return context.WithValue(ctx, readsKey{}, r)
}

// noteSeries notes that readings of series of a project are about to be read, where that is asked for. It is called before
// they are read: what comes meanwhile must not be taken for read.
func noteSeries(ctx context.Context, project int64, series ...int64) {
	if r, ok := ctx.Value(readsKey{}).(*reads); ok {
		r.note(ctx, project, series)
	}
}

// noteMembers is noteSeries of the series that statistics are asked of.
func noteMembers(ctx context.Context, groups ...[]analysis.Member) {
	r, ok := ctx.Value(readsKey{}).(*reads)
	if !ok {
		return
	}
	for _, g := range groups {
		for _, m := range g {
			r.note(ctx, m.Project, []int64{m.Series})
		}
	}
}

func (r *reads) note(ctx context.Context, project int64, series []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	read := r.projects[project]
	if read == nil {
		place, ok := r.place(ctx, project)
		if !ok {
			r.lost = true // so is what asks, most likely
			return
		}
		read = &seriesRead{place: place, series: map[int64]bool{}}
		if r.projects == nil {
			r.projects = map[int64]*seriesRead{}
		}
		r.projects[project] = read
	}
	if read.series == nil {
		return
	}
	for _, id := range series {
		read.series[id] = true
	}
	if len(read.series) > maxNoted {
		read.series = nil
	}
}

// place returns up to where the journal of a project is known here, which is followed from now on.
func (r *reads) place(ctx context.Context, project int64) (offset int64, ok bool) {
	if offset, ok = r.journal.Applied(project); ok {
		return offset, true
	}
	if err := r.journal.Follow(ctx, project); err != nil {
		return 0, false
	}
	return r.journal.Applied(project)
}
