package history

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// Config sets the limits of a Reader; its zero value is right for one server process.
type Config struct {
	MaxReadings int   // what one call holds at most, about; 0 = 5,000,000 (24 bytes each)
	CacheBytes  int64 // of decoded rows that are kept; 0 = 64 MiB, negative = none

	Metrics prometheus.Registerer // nil = not registered; one Reader for each registry
}

func (c Config) withDefaults() Config {
	c.MaxReadings = cmp.Or(c.MaxReadings, 5_000_000)
	c.CacheBytes = cmp.Or(c.CacheBytes, 64<<20)
	return c
}

// Reader reads readings, packed or not. Every answer has all that was acknowledged by this process before the call (by
// any process, where several are known to each other: see journal.Follower), and of later entries each in whole or not
// at all. Times are in µs; ranges are half open: from <= time < to. Safe for concurrent use.
//
// Faults of all methods: Unavailable when the database is away, TooLarge where a method says so.
type Reader struct {
	pool     *pgxpool.Pool
	tail     *tail.Tail
	follower *journal.Follower
	cfg      Config
	cache    *cache
	metrics  *metrics
	rooms    sync.Pool     // of *room
	turns    chan struct{} // room for as many as may read the database at once
	now      func() time.Time
}

// New returns a Reader of what is packed in the database of pool and of held, which follower keeps up to date.
func New(pool *pgxpool.Pool, held *tail.Tail, follower *journal.Follower, cfg Config) *Reader {
	cfg = cfg.withDefaults()
	r := &Reader{
		pool: pool, tail: held, follower: follower, cfg: cfg, cache: newCache(cfg.CacheBytes),
		turns: make(chan struct{}, store.HistoryConnections(pool)), now: time.Now,
	}
	r.metrics = newMetrics(cfg.Metrics, r.cache)
	return r
}

// turn waits until the database may be read, so that readers leave connections to those who write; done ends it.
func (r *Reader) turn(ctx context.Context) (done func(), err error) {
	select {
	case r.turns <- struct{}{}:
		return func() { <-r.turns }, nil
	case <-ctx.Done():
		return nil, fault.Wrap(context.Cause(ctx), fault.Unavailable, "others are reading: try again").After(time.Second)
	}
}

// Range returns all readings of a series in a range of time, oldest first. More than Config.MaxReadings are a fault
// TooLarge.
func (r *Reader) Range(ctx context.Context, project, series, from, to int64) ([]reading.Reading, error) {
	found, err := r.whole(ctx, query{project: project, series: []int64{series}, from: from, to: to, max: r.cfg.MaxReadings})
	if err != nil {
		return nil, err
	}
	return found.series[0], nil
}

// At returns the readings of each of the series from the time from on, as they are at exactly one offset of the
// project's journal: with all entries up to it and nothing of later ones. Whoever goes on with the entries behind that
// offset has every reading once. The series must be distinct; the answer has their order. More than max readings are a
// fault TooLarge.
func (r *Reader) At(
	ctx context.Context, project int64, series []int64, from int64, max int,
) (offset int64, rs [][]reading.Reading, err error) {
	sorted, order := inOrder(series)
	found, err := r.whole(ctx, query{project: project, series: sorted, from: from, to: forever, max: min(max, r.cfg.MaxReadings)})
	if err != nil {
		return 0, nil, err
	}
	return found.offset, order.undo(found.series), nil
}

// whole reads all of q.
func (r *Reader) whole(ctx context.Context, q query) (stretch, error) {
	found, err := r.read(ctx, q, new(room))
	if err == errTooMany { //nolint:errorlint // it is never wrapped
		err = fault.New(fault.TooLarge, "this is more than %d readings: ask for less at once", q.max)
	}
	return found, err
}
