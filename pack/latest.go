package pack

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/store"
)

// LatestSource is where a LatestFlusher takes from what the newest readings are.
type LatestSource interface {
	// TakeChanged returns at most n series whose newest reading has changed since it was last taken. What it returns it
	// forgets.
	TakeChanged(n int) []store.Newest
}

// LatestConfig says how a LatestFlusher works; its zero value is right for one server process.
type LatestConfig struct {
	Every    time.Duration // between two flushes; 0 = 3 s
	MaxRows  int           // rows in one statement; 0 = 10,000
	DrainFor time.Duration // how long Run goes on writing when its context has ended; 0 = 5 s

	Log *slog.Logger // nil = nobody is told
}

// LatestFlusher writes the newest readings into the table latest every few seconds, for those who read it by SQL and for
// fast starts. When nothing has changed it does not touch the database.
//
// While the database is away it holds one statement's rows and leaves the rest with the source, where what is newer
// replaces what is older: so memory stays bounded and nothing is lost.
type LatestFlusher struct {
	pool   *pgxpool.Pool
	source LatestSource
	cfg    LatestConfig

	turn   chan struct{}  // held by who flushes
	unsure []store.Newest // taken and perhaps not written; guarded by turn
}

// NewLatestFlusher returns a flusher that takes from source.
func NewLatestFlusher(pool *pgxpool.Pool, source LatestSource, cfg LatestConfig) *LatestFlusher {
	cfg.Every = cmp.Or(cfg.Every, 3*time.Second)
	cfg.MaxRows = cmp.Or(cfg.MaxRows, 10_000)
	cfg.DrainFor = cmp.Or(cfg.DrainFor, 5*time.Second)
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	return &LatestFlusher{pool: pool, source: source, cfg: cfg, turn: make(chan struct{}, 1)}
}

// Run flushes until ctx has ended, and once more then. It returns the error of that last flush; errors before are
// logged, and what was not written is written later.
func (f *LatestFlusher) Run(ctx context.Context) error {
	tick := time.NewTicker(f.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.cfg.DrainFor)
			defer cancel()
			return f.Flush(ctx)
		case <-tick.C:
		}
		if err := f.Flush(ctx); err != nil && ctx.Err() == nil {
			f.cfg.Log.WarnContext(ctx, "latest readings cannot be written yet", "error", err)
		}
	}
}

// Flush writes all that has changed. After an error the rest waits for the next call. Safe for concurrent use, one at a
// time. Faults: as store.Fault.
func (f *LatestFlusher) Flush(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		if len(f.unsure) == 0 {
			f.unsure = f.source.TakeChanged(f.cfg.MaxRows)
		}
		if len(f.unsure) == 0 {
			return nil
		}
		// Written twice, after an answer that was lost, it is as written once.
		if err := store.PutLatest(ctx, f.pool, f.unsure); err != nil {
			return store.Fault(fmt.Errorf("flush: %w", err))
		}
		f.unsure = nil
	}
}
