package journal

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// flusher turns a batch of requests into one commit. It belongs to one goroutine, Run's.
type flusher struct {
	pool     *pgxpool.Pool
	follower *Follower
	late     *lateness
	retryFor time.Duration
	log      *slog.Logger
	metrics  *metrics

	down   outage
	behind behind

	payloads []byte // of one flush, kept for the next
}

// group is what one flush has for one project: readings or deletions.
type group struct {
	project   int64
	requests  []*request         // as they arrived
	readings  []reading.Reading  // of all of them, as an entry has them
	deletions []reading.Deletion // of the one request that there is
	names     int64              // the edition of names that the readings are of; 0 is any
}

// flush commits batch, hands the entries to the follower and answers every request.
func (f *flusher) flush(ctx context.Context, batch []*request) {
	started := time.Now()
	groups := groupByProject(batch)
	for _, g := range groups {
		g.refuseOutdated()
		f.prepare(g)
	}
	placed, err := f.commit(ctx, f.encode(groups))
	f.metrics.flushed(started, groups)
	for _, g := range groups {
		p, ok := placed[g.project]
		switch {
		case ok && p.Offset == 0:
			g.refuse(ErrOutdated)
		case ok:
			f.handOver(ctx, Entry{
				Project: g.project, Offset: p.Offset, At: p.At, Readings: g.readings, Deletions: g.deletions,
			})
			f.metrics.stored(g)
			g.accept(p.Offset)
		case err != nil:
			g.refuse(err)
		default:
			f.follower.Forget(g.project)
			g.refuse(fault.New(fault.NotFound, "this project does not exist"))
		}
	}
	f.catchUpIfDue(ctx)
}

// groupByProject keeps the order of arrival, of projects and in each of them.
func groupByProject(batch []*request) []*group {
	var groups []*group
	byProject := make(map[int64]*group)
	for _, r := range batch {
		g := byProject[r.project]
		if g == nil {
			g = &group{project: r.project}
			byProject[r.project] = g
			groups = append(groups, g)
		}
		g.requests = append(g.requests, r)
	}
	return groups
}

// prepare makes an entry of the requests of g.
func (f *flusher) prepare(g *group) {
	if first := g.requests[0]; first.deletes() { // and the only one: see queue.take
		g.deletions = first.deletions
		return
	}
	f.countLate(g)
	g.readings = merge(g.requests)
}

// refuseOutdated answers those of the group's requests whose names are of an earlier edition than others of it: the entry
// can be of one only, and theirs cannot be the last.
func (g *group) refuseOutdated() {
	for _, r := range g.requests {
		g.names = max(g.names, r.names)
	}
	g.requests = slices.DeleteFunc(g.requests, func(r *request) bool {
		outdated := r.names != 0 && r.names < g.names
		if outdated {
			r.done <- answer{err: ErrOutdated}
		}
		return outdated
	})
}

func (f *flusher) countLate(g *group) {
	f.late.begin(g.project)
	for _, r := range g.requests {
		r.late = f.late.count(r.readings)
	}
}

// merge returns the readings of all requests as an entry has them: sorted, and of equal ones the last to arrive.
func merge(requests []*request) []reading.Reading {
	if len(requests) == 1 {
		return reading.Sort(requests[0].readings)
	}
	n := 0
	for _, r := range requests {
		n += len(r.readings)
	}
	all := make([]reading.Reading, 0, n)
	for _, r := range requests {
		all = append(all, r.readings...)
	}
	return reading.Sort(all)
}

// encode returns the entries of groups. Their payloads are valid until the next call.
func (f *flusher) encode(groups []*group) []store.Pending {
	items := make([]store.Pending, len(groups))
	ends := make([]int, len(groups))
	buf := f.payloads[:0]
	for i, g := range groups {
		items[i], buf = g.encode(buf)
		ends[i] = len(buf)
	}
	start := 0
	for i, end := range ends { // only now, because buf may have moved while it grew
		items[i].Payload = buf[start:end:end]
		start = end
	}
	f.payloads = buf
	return items
}

// encode appends the payload of the group's entry to buf.
func (g *group) encode(buf []byte) (store.Pending, []byte) {
	if len(g.deletions) > 0 {
		item := store.Pending{Project: g.project, Kind: KindDeletions, Count: len(g.deletions)}
		item.Renames = slices.ContainsFunc(g.deletions, reading.Deletion.Whole)
		return item, reading.EncodeDeletions(buf, g.deletions)
	}
	item := store.Pending{Project: g.project, Kind: KindReadings, Count: len(g.readings), Names: g.names}
	return item, reading.Encode(buf, g.readings)
}

// handOver passes a committed entry to the views. It is durable whatever happens here: a project whose views could not
// be brought up to it is tried again later.
func (f *flusher) handOver(ctx context.Context, e Entry) {
	// Entries of another process may have to be read first; other projects wait for that only so long.
	ctx, cancel := context.WithTimeout(ctx, attemptFor)
	defer cancel()
	err := f.follower.Committed(ctx, e)
	if err != nil {
		f.log.WarnContext(ctx, "follow the journal", "project", e.Project, "error", err)
	}
	if applied, ok := f.follower.Applied(e.Project); ok && applied < e.Offset {
		f.behind.projects[e.Project] = true
	}
}

// accept answers the requests of a group that is durable.
func (g *group) accept(offset int64) {
	for _, r := range g.requests {
		r.done <- answer{ack: Ack{Offset: offset, Accepted: len(r.readings), Late: r.late}}
	}
}

func (g *group) refuse(err error) {
	for _, r := range g.requests {
		r.done <- answer{err: err}
	}
}
