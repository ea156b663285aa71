package pack

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/store"
)

// worker does one transaction after the other, with buffers that it keeps. It is for one goroutine at a time.
type worker struct {
	pool    *pgxpool.Pool
	sizes   Sizes
	metrics *metrics

	batch    batch
	segments segmenter
	young    []store.YoungRow // to be written
	news     []store.PackedNewest
	sweep    sweep
	settler  settler
	out      output
}

func newWorker(pool *pgxpool.Pool, sizes Sizes, m *metrics) *worker {
	w := &worker{pool: pool, sizes: sizes, metrics: m}
	w.sweep.stretch = sizes.Stretch
	w.out.metrics = m
	w.settler = settler{w: w, chunker: chunker{out: &w.out, sizes: sizes}}
	return w
}

// errBusy says that somebody else packs or settles the project right now.
var errBusy = errors.New("the project is being packed elsewhere")

// transaction runs fn in a transaction that holds the project's packing lock. When somebody else holds it, it returns
// errBusy: the one worker is not to wait for whoever may hang. Nor is anybody to wait for this one, so its transaction ends
// when it is idle for long.
func (w *worker) transaction(ctx context.Context, project int64, fn func(tx pgx.Tx) error) error {
	w.young = w.young[:0]
	return store.MaintainAwake(ctx, w.pool, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			w.out.begin(tx, project)
			if ok, err := store.TryPacking(ctx, tx, project); err != nil {
				return err
			} else if !ok {
				return errBusy
			}
			return fn(tx)
		})
	})
}

// queueYoung takes the rows of a run, which flushYoung writes.
func (w *worker) queueYoung(rows []store.YoungRow) { w.young = append(w.young, rows...) }

// flushYoung writes the rows that are queued.
func (w *worker) flushYoung(ctx context.Context, tx pgx.Tx, project int64) error {
	if err := store.CopyYoung(ctx, tx, project, w.young); err != nil {
		return err
	}
	w.metrics.wroteYoung(w.young)
	clear(w.young)
	w.young, w.segments.bytes = w.young[:0], w.segments.bytes[:0]
	return nil
}
