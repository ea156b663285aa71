package journal

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// Journal appends readings and deletions to the journals of projects by group commit. Append and Delete are safe for
// concurrent use; Run must be running for them to return.
type Journal struct {
	follower *Follower
	cfg      Config
	queue    *queue
	flusher  *flusher
	metrics  *metrics
}

// New returns a Journal that writes to the database of pool and hands what it wrote to follower. latest tells the
// newest reading of a series as the follower's views know it. New starts nothing: see Run.
func New(pool *pgxpool.Pool, follower *Follower, latest Latest, cfg Config) *Journal {
	cfg = cfg.withDefaults()
	j := &Journal{follower: follower, cfg: cfg, queue: newQueue(cfg.MaxQueued)}
	j.metrics = newMetrics(cfg.Metrics, j.queue.size)
	j.flusher = &flusher{
		pool: pool, follower: follower, late: newLateness(latest),
		retryFor: cfg.RetryFor, log: cfg.Log, metrics: j.metrics, behind: behind{projects: make(map[int64]bool)},
	}
	return j
}

// Append stores rs in project's journal and returns when they are durable and the views have them; only if an entry
// that another process wrote before cannot be read do the views get them later. Of two equal readings (series and time)
// the later one in rs wins. rs belongs to the journal from the call on, whatever it returns.
//
// An error after which the readings may be stored all the same says so in its message; that is so when ctx ends while
// the commit is under way. Sending them again is safe: they are the same readings.
//
// Faults: TooMany with RetryAfter at once when too many readings wait, TooLarge for more than ever fit, NotFound for a
// project that does not exist, Unavailable with RetryAfter when the database is away, the server is stopping or ctx
// ends first.
func (j *Journal) Append(ctx context.Context, project int64, rs []reading.Reading) (Ack, error) {
	return j.AppendNamed(ctx, project, 0, rs)
}

// ErrOutdated is the answer to readings whose series may have another id or another unit by now; nothing was stored.
var ErrOutdated error = fault.New(fault.Unavailable, "the project's series have just changed: send this again").After(time.Second)

// AppendNamed is Append of readings whose ids were taken from an edition of the project's names (store.ResolveSeries): if
// it is not the last one, since a series was deleted or has another unit, it is ErrOutdated. 0 is any edition.
func (j *Journal) AppendNamed(ctx context.Context, project, names int64, rs []reading.Reading) (Ack, error) {
	if len(rs) == 0 {
		return Ack{}, nil
	}
	// What is late is counted against what the project has: it must be loaded. Not in the flusher: a load takes a while.
	if err := j.follower.load(ctx, project); err != nil {
		return Ack{}, err
	}
	return j.await(ctx, &request{project: project, names: names, readings: rs, done: make(chan answer, 1)})
}

// Delete takes readings away: those in ds that were stored before, whoever sent them. It returns when that is durable and
// the views have it, as Append does; it is an entry of its own, behind whatever of the project is queued already. ds
// belongs to the journal from the call on. Deletions that cover no time are left out; of none, nothing is written.
//
// Deleting again what may be deleted already is safe, but it also takes what was sent in between. Faults: those of Append.
func (j *Journal) Delete(ctx context.Context, project int64, ds []reading.Deletion) (Ack, error) {
	ds = slices.DeleteFunc(ds, func(d reading.Deletion) bool { return d.From >= d.To })
	if len(ds) == 0 {
		return Ack{}, nil
	}
	return j.await(ctx, &request{project: project, deletions: ds, done: make(chan answer, 1)})
}

// await queues r and returns its answer.
func (j *Journal) await(ctx context.Context, r *request) (Ack, error) {
	if err := j.queue.put(r); err != nil {
		j.metrics.refused.Inc()
		return Ack{}, err
	}
	select {
	case a := <-r.done:
		if a.err == nil {
			j.follower.settle(ctx, r.project) // somebody may be reading the entry for the views just now
		}
		return a.ack, a.err
	case <-ctx.Done():
		return Ack{}, fault.Wrap(context.Cause(ctx), fault.Unavailable,
			"this took too long; it may yet be stored, and sending it again is safe").After(time.Second)
	}
}

// Run is the one flusher: it commits what Append queued until ctx ends. Then it refuses new appends, commits what is
// still queued, for DrainFor at most, fails what is left and returns nil. Run it once.
func (j *Journal) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(j.cfg.DrainFor, cancel) })()

	for ctx.Err() == nil {
		j.flushQueued(work, ctx.Done())
		select {
		case <-j.queue.wake:
		case <-j.flusher.catchUpDue():
			j.flusher.catchUp(work)
		case <-ctx.Done():
		}
	}
	j.queue.close()
	j.flushQueued(work, work.Done())
	j.refuseQueued()
	return nil
}

// flushQueued commits what is queued, until nothing is or stop is closed.
func (j *Journal) flushQueued(ctx context.Context, stop <-chan struct{}) {
	var batch []*request
	for {
		select {
		case <-stop:
			return
		default:
		}
		batch = j.queue.take(batch[:0], j.cfg.flushReadings())
		if len(batch) == 0 {
			return
		}
		j.flusher.flush(ctx, batch)
		clear(batch)
	}
}

// refuseQueued answers what could not be committed in time.
func (j *Journal) refuseQueued() {
	stopping := fault.New(fault.Unavailable, "the server is stopping; this was not stored").After(time.Second)
	for {
		left := j.queue.take(nil, j.cfg.MaxQueued)
		if len(left) == 0 {
			return
		}
		for _, r := range left {
			j.metrics.refused.Inc()
			r.done <- answer{err: stopping}
		}
	}
}
