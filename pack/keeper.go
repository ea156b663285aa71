package pack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// KeeperConfig says how a Keeper works; its zero value is right for one server process, but for Delete.
type KeeperConfig struct {
	Every        time.Duration // between two rounds; 0 = 1 h
	OrphansEvery time.Duration // between two searches for orphans; 0 = 24 h
	DaysAhead    int           // for how many days partitions are made in advance; 0 = 7

	// Delete appends deletions to a project's journal. It is called for series that do not exist any more and whose
	// deletion the journal does not know; nil leaves them.
	Delete func(ctx context.Context, project int64, ds []reading.Deletion) error

	Log     *slog.Logger          // nil = nobody is told
	Metrics prometheus.Registerer // nil = not registered; one Keeper per registry
}

// Keeper keeps the house: it makes partitions ahead of time, drops what no project keeps any longer, deletes what one
// project keeps for a shorter time than others, and what deleted projects and series have left behind. Any number of
// processes may have one; one at a time does the dropping and deleting.
//
// Readings go by the month (see store.KeptSince) and are kept at least as long as the project says, never shorter.
type Keeper struct {
	pool    *pgxpool.Pool
	cfg     KeeperConfig
	metrics *keeperMetrics
	orphans time.Time // when they were last looked for to the end
}

// NewKeeper returns a keeper; Run starts it.
func NewKeeper(pool *pgxpool.Pool, cfg KeeperConfig) *Keeper {
	cfg.Every = cmp.Or(cfg.Every, time.Hour)
	cfg.OrphansEvery = cmp.Or(cfg.OrphansEvery, 24*time.Hour)
	cfg.DaysAhead = cmp.Or(cfg.DaysAhead, 7)
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	return &Keeper{pool: pool, cfg: cfg, metrics: newKeeperMetrics(cfg.Metrics)}
}

// Run makes a round at once and then every so often, until ctx has ended. Errors are logged, and the next round tries
// again.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(k.cfg.Every)
	defer tick.Stop()
	for {
		if err := k.round(ctx); err != nil && ctx.Err() == nil {
			k.cfg.Log.ErrorContext(ctx, "retention is not complete; the next round goes on", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// round keeps as of now by the clock that is behind, this process's or the database's: a clock that runs ahead must not
// be the end of readings.
func (k *Keeper) round(ctx context.Context) error {
	now, err := store.Clock(ctx, k.pool)
	if err != nil {
		return err
	}
	if ours := time.Now(); ours.Before(now) {
		now = ours
	}
	return k.Keep(ctx, now)
}

// Keep makes one round, as of now; while another process makes one, it only makes the partitions ahead. A part that
// fails does not keep the others from their work. It must not be called twice at a time. Faults: as store.Fault.
func (k *Keeper) Keep(ctx context.Context, now time.Time) error {
	err := errors.Join(
		store.MakePartitions(ctx, k.pool, k.cfg.DaysAhead),
		store.MakePackPartitions(ctx, k.pool, now, now.AddDate(0, 0, k.cfg.DaysAhead)),
	)
	_, keepErr := store.KeepAlone(ctx, k.pool, func() error {
		return errors.Join(k.drop(ctx, now), k.deleteExpired(ctx, now), k.deleteOrphans(ctx, now))
	})
	return errors.Join(err, keepErr)
}

func (k *Keeper) drop(ctx context.Context, now time.Time) error {
	journal, journalErr := store.DropJournal(ctx, k.pool, now)
	expired, expiredErr := store.DropExpired(ctx, k.pool, now)
	for _, name := range append(journal, expired...) {
		k.metrics.dropped.Inc()
		k.cfg.Log.InfoContext(ctx, "dropped a partition that nobody keeps", "partition", name)
	}
	return errors.Join(journalErr, expiredErr)
}

func (k *Keeper) deleteExpired(ctx context.Context, now time.Time) error {
	deleted, err := store.DeleteExpired(ctx, k.pool, now)
	k.metrics.deleted.Add(float64(deleted))
	if deleted > 0 {
		k.cfg.Log.InfoContext(ctx, "deleted rows that their project does not keep", "rows", deleted)
	}
	return err
}

// deleteOrphans looks for orphans if it is time to; they are rare, and looking takes longer than the rest of a round.
func (k *Keeper) deleteOrphans(ctx context.Context, now time.Time) error {
	if now.Sub(k.orphans) < k.cfg.OrphansEvery {
		return nil
	}
	err := errors.Join(k.emptyProjects(ctx), k.deleteSeries(ctx))
	if err == nil {
		k.orphans = now
	}
	return err
}

func (k *Keeper) emptyProjects(ctx context.Context) error {
	projects, err := store.OrphanProjects(ctx, k.pool)
	for _, project := range projects {
		if err := store.EmptyProject(ctx, k.pool, project); err != nil {
			return err
		}
		k.cfg.Log.InfoContext(ctx, "deleted what a deleted project had left", "project", project)
	}
	return err
}

// seriesPiece is how many series are deleted by one entry of the journal.
const seriesPiece = 1000

// deleteSeries appends what the journal missed; it takes effect as if it had come in time.
func (k *Keeper) deleteSeries(ctx context.Context) error {
	if _, err := store.ForgetDeletedSeries(ctx, k.pool); err != nil || k.cfg.Delete == nil {
		return err
	}
	for after := (store.SeriesKey{}); ; {
		found, err := store.OrphanSeries(ctx, k.pool, after, seriesPiece)
		if err != nil || len(found) == 0 {
			return err
		}
		after = found[len(found)-1]
		for project, deletions := range byProject(found) {
			if err := k.cfg.Delete(ctx, project, deletions); err != nil {
				return fmt.Errorf("delete %d series of project %d: %w", len(deletions), project, err)
			}
			k.cfg.Log.InfoContext(ctx, "deleted the readings of deleted series", "project", project, "series", len(deletions))
		}
	}
}

func byProject(keys []store.SeriesKey) map[int64][]reading.Deletion {
	all := map[int64][]reading.Deletion{}
	for _, key := range keys {
		all[key.Project] = append(all[key.Project], reading.DeleteAll(key.Series))
	}
	return all
}
