package pack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/store"
)

// Packer packs what the journals hold. Any number of processes may run one on the same database: each project is packed by
// one at a time. It is a journal.View and a journal.Trimmer, by which it learns how much waits. Safe for concurrent use.
type Packer struct {
	pool    *pgxpool.Pool
	cfg     Config
	metrics *metrics
	backlog *backlog

	turn   chan struct{} // holds one token while worker is free
	worker *worker
	made   sync.Map // months whose partitions exist
}

// New returns a Packer on the database of pool; it does nothing before it is called.
func New(pool *pgxpool.Pool, cfg Config) *Packer {
	cfg = cfg.withDefaults()
	p := &Packer{pool: pool, cfg: cfg, backlog: newBacklog(), turn: make(chan struct{}, 1)}
	p.metrics = newMetrics(cfg.Metrics, p.backlog.readings, p.backlog.age)
	p.worker = newWorker(pool, cfg.Sizes, p.metrics)
	p.turn <- struct{}{}
	return p
}

// Pack packs all that is unpacked of the project now, in one or more transactions; what comes meanwhile may be packed too.
// While another process packs or settles the project it does nothing and returns nil. After an error, what was committed
// before stays packed, and calling it again goes on.
//
// An entry that cannot be read stops it with an error that names the entry: nothing is left out. Faults: Unavailable when the
// database is away, NotFound when the project was deleted.
func (p *Packer) Pack(ctx context.Context, project int64) error {
	_, err := p.pack(ctx, project)
	if errors.Is(err, errBusy) {
		return nil
	}
	return err
}

// pack is Pack that returns errBusy when it could not; late says that closed days were written to. What could not be merged,
// since somebody else was at the project, is when the day is packed again, or settled.
func (p *Packer) pack(ctx context.Context, project int64) (late bool, err error) {
	for more := true; more; {
		var done packed
		err := p.work(ctx, "pack", func(w *worker) (err error) {
			if done, err = w.packOnce(ctx, project); !done.more {
				w.batch.release()
			}
			return err
		})
		if err != nil {
			return late, store.Fault(fmt.Errorf("pack project %d: %w", project, err))
		}
		more = done.more
		p.packedTo(ctx, project, done)
		if err := p.mergeDays(ctx, project, done.days); err != nil && !errors.Is(err, errBusy) {
			return late, store.Fault(fmt.Errorf("merge what project %d packed: %w", project, err))
		}
		for _, day := range done.days {
			late = late || dateOf(day).Before(firstOpenDay(time.Now()))
		}
	}
	return late, nil
}

// packedTo tells what was packed.
func (p *Packer) packedTo(ctx context.Context, project int64, done packed) {
	p.backlog.trim(project, done.upto)
	p.metrics.readings.Add(float64(done.came))
	if done.came > 0 {
		p.cfg.Log.DebugContext(ctx, "packed", "project", project, "upto", done.upto, "readings", done.came, "days", len(done.days))
	}
	if done.upto > 0 {
		p.cfg.Packed(project, done.upto)
	}
}

// mergeDays merges the runs of days that have many now.
func (p *Packer) mergeDays(ctx context.Context, project int64, days []int64) error {
	if len(days) == 0 {
		return nil
	}
	dates := make([]time.Time, len(days))
	for i, day := range days {
		dates[i] = dateOf(day)
	}
	blocks, err := store.Fragmented(ctx, p.pool, project, dates, p.cfg.Sizes.Runs)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if err := p.work(ctx, "merge", func(w *worker) error { return w.merge(ctx, project, b) }); err != nil {
			return err
		}
	}
	return nil
}

// Settle settles all days of the project that are closed at now, which is an hour after their end (UTC), and makes chunks of
// all that is left of months that are closed, a day after theirs; of all projects when project is 0. Each block of neighbouring
// series is a transaction of its own; while others pack or settle a project it waits, as long as ctx holds. A project that
// fails does not stop the others, and calling it again goes on. Faults: as Pack.
func (p *Packer) Settle(ctx context.Context, project int64, now time.Time) error {
	_, err := p.settle(ctx, project, now, settling{patient: true, between: func() {}})
	return err
}

// settling says how blocks are settled.
type settling struct {
	patient bool   // it waits for whoever is at a project; otherwise that is put off
	between func() // is called after each transaction
}

// settle is Settle that may put projects off; busy says that it did.
func (p *Packer) settle(ctx context.Context, project int64, now time.Time, how settling) (busy bool, err error) {
	days, err := store.Unsettled(ctx, p.pool, project, firstOpenDay(now))
	if err != nil {
		return false, store.Fault(err)
	}
	daysBusy, daysErr := p.settleAll(ctx, "settle", days, (*worker).settleDay, how)
	months, err := store.Unclosed(ctx, p.pool, project, firstOpenMonth(now))
	if err != nil {
		return daysBusy, store.Fault(err)
	}
	monthsBusy, monthsErr := p.settleAll(ctx, "close", months, (*worker).closeMonth, how)
	return daysBusy || monthsBusy, errors.Join(daysErr, monthsErr)
}

// settleAll settles one block after the other, but no more of a project that failed or was put off.
func (p *Packer) settleAll(
	ctx context.Context, step string, blocks []store.DayBlock,
	settle func(*worker, context.Context, int64, store.DayBlock) error, how settling,
) (busy bool, err error) {
	failed := make(map[int64]error)
	for _, b := range blocks {
		if failed[b.Project] != nil || ctx.Err() != nil {
			continue
		}
		err := p.settleBlock(ctx, step, b, settle, how.patient)
		switch {
		case errors.Is(err, errBusy):
			failed[b.Project], busy = err, true
			continue
		case err != nil:
			failed[b.Project] = store.Fault(fmt.Errorf("%s block %d of project %d on %s: %w",
				step, b.Block, b.Project, b.Day.Format(time.DateOnly), err))
			continue
		}
		p.cfg.Log.DebugContext(ctx, "settled", "project", b.Project, "step", step, "day", b.Day.Format(time.DateOnly), "block", b.Block)
		how.between()
	}
	maps.DeleteFunc(failed, func(_ int64, err error) bool { return errors.Is(err, errBusy) })
	return busy, errors.Join(append(slices.Collect(maps.Values(failed)), ctx.Err())...)
}

// settleBlock settles one block. Where it is patient it tries again while somebody else is at the project, and leaves the
// worker to others meanwhile.
func (p *Packer) settleBlock(
	ctx context.Context, step string, b store.DayBlock,
	settle func(*worker, context.Context, int64, store.DayBlock) error, patient bool,
) error {
	for dropped := false; ; {
		if err := p.makePartitions(ctx, b.Day); err != nil {
			return err
		}
		err := p.work(ctx, step, func(w *worker) error { return settle(w, ctx, b.Project, b) })
		switch {
		case store.IsNoPartition(err) && !dropped: // it was dropped after we had seen it
			dropped = true
			p.made.Clear()
		case errors.Is(err, errBusy) && patient:
			select {
			case <-time.After(settlePause):
			case <-ctx.Done():
				return ctx.Err()
			}
		default:
			return err
		}
	}
}

// makePartitions makes sure that the month of day can be settled.
func (p *Packer) makePartitions(ctx context.Context, day time.Time) error {
	month := monthOf(day)
	if _, made := p.made.Load(month); made {
		return nil
	}
	if err := store.MakePackPartitions(ctx, p.pool, month, month); err != nil {
		return err
	}
	p.made.Store(month, true)
	return nil
}

// work runs fn when the worker is free.
func (p *Packer) work(ctx context.Context, step string, fn func(*worker) error) error {
	select {
	case <-p.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { p.turn <- struct{}{} }()
	began := time.Now()
	err := fn(p.worker)
	if err == nil {
		p.metrics.seconds.WithLabelValues(step).Observe(time.Since(began).Seconds())
	}
	return err
}
