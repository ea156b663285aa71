package journal

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/store"
)

const (
	attemptFor = 15 * time.Second // one call of the database; a server that answers at all does so much sooner
	firstPause = 10 * time.Millisecond
	longPause  = 500 * time.Millisecond
	daysAhead  = 1 // partitions made when one is found missing; whoever plans ahead makes more
)

// commit makes items durable and returns where they are, by project. Without an error, a project that is missing in the
// answer does not exist; with one, it is the fault of the projects that are missing.
func (f *flusher) commit(ctx context.Context, items []store.Pending) (map[int64]store.Placed, error) {
	c := &commit{
		pool: f.pool, flush: uuid.New(), left: items,
		after:  make(map[int64]int64, len(items)),
		placed: make(map[int64]store.Placed, len(items)),
	}
	for _, item := range items {
		// Before the append: if its answer is lost, the follower may come upon the entry before FindFlush does.
		c.after[item.Project], _ = f.follower.Applied(item.Project)
	}
	err := c.append(ctx)
	giveUp := f.giveUp(c.again(err))
	for pause := firstPause; c.again(err); pause = min(2*pause, longPause) {
		f.metrics.retries.Inc()
		if !sleep(ctx, min(pause, time.Until(giveUp))) || time.Now().After(giveUp) {
			break
		}
		err = c.try(ctx)
		giveUp = f.giveUp(c.again(err))
	}
	if c.lost != nil {
		f.behind.lost = append(f.behind.lost, c)
	}
	return c.placed, c.fault(err)
}

// giveUp returns when a commit is not tried again: RetryFor after the database went away. The first commit of an outage waits
// for that; those behind it are answered at once when it is over. down says whether the database is away now.
func (f *flusher) giveUp(down bool) time.Time {
	now := time.Now()
	switch {
	case !down:
		f.down = outage{}
	case now.Sub(f.down.last) > max(f.retryFor, attemptFor): // a new one: nobody has asked for so long
		f.down = outage{now, now}
	default:
		f.down.last = now
	}
	return f.down.since.Add(f.retryFor)
}

// outage is when the database went away, and when that was noticed last.
type outage struct{ since, last time.Time }

// commit is the state of one flush on its way into the database.
type commit struct {
	pool   *pgxpool.Pool
	flush  uuid.UUID
	after  map[int64]int64 // by project: an offset before that of the flush's entry
	left   []store.Pending // not known to be committed
	placed map[int64]store.Placed
	lost   *store.LostAppend // an append of which nothing is known
}

// again reports whether err may go away by waiting.
func (c *commit) again(err error) bool {
	return err != nil && (c.lost != nil || store.IsConnection(err))
}

// try settles what is lost, then appends what is proven not to be there.
func (c *commit) try(ctx context.Context) error {
	if c.lost != nil {
		if err := c.find(ctx); err != nil || len(c.left) == 0 {
			return err
		}
	}
	return c.append(ctx)
}

// append appends what is left; a missing partition is made first.
func (c *commit) append(ctx context.Context) error {
	err := c.appendOnce(ctx)
	if !store.IsNoPartition(err) {
		return err
	}
	if err := store.MakePartitions(ctx, c.pool, daysAhead); err != nil {
		return err
	}
	return c.appendOnce(ctx)
}

func (c *commit) appendOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attemptFor)
	defer cancel()
	placed, err := store.AppendEntries(ctx, c.pool, c.flush, c.left)
	c.note(placed)
	errors.As(err, &c.lost)
	return err
}

// find looks up what became of the lost append; its error is lost itself while that is open.
func (c *commit) find(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attemptFor)
	defer cancel()
	projects, after := make([]int64, len(c.left)), make([]int64, len(c.left))
	for i, item := range c.left {
		projects[i], after[i] = item.Project, c.after[item.Project]
	}
	placed, settled, err := store.FindFlush(ctx, c.pool, c.flush, c.lost.Backend, projects, after)
	if err != nil {
		return err
	}
	c.note(placed)
	if !settled && len(c.left) > 0 {
		return c.lost
	}
	c.lost = nil
	return nil
}

// note moves what was placed out of what is left.
func (c *commit) note(placed []store.Placed) {
	for _, p := range placed {
		c.placed[p.Project] = p
	}
	c.left = slices.DeleteFunc(c.left, func(item store.Pending) bool {
		_, ok := c.placed[item.Project]
		return ok
	})
}

// fault returns err in words for those who sent what is left.
func (c *commit) fault(err error) error {
	switch {
	case err == nil || len(c.left) == 0:
		return nil
	case c.lost != nil:
		return fault.Wrap(err, fault.Unavailable,
			"the database went away while it stored this; it may be stored, and sending it again is safe").After(time.Second)
	case store.IsConnection(err):
		return fault.Wrap(err, fault.Unavailable, "the database is away; this was not stored").After(time.Second)
	}
	return store.Fault(err)
}

// sleep waits for d and reports whether ctx still holds.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
