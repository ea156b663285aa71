package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// engine is what a scenario runs on that measures one path in this process: an embedded PostgreSQL with the settings that
// `readout serve` gives it, migrated, with one project.
type engine struct {
	*reference
	pool    *pgxpool.Pool
	project int64
	buffer  []reading.Reading
}

// onEngine runs a scenario on a new engine.
func onEngine(ctx context.Context, run func(e *engine) error) (err error) {
	e, err := newEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	return run(e)
}

func newEngine(ctx context.Context) (*engine, error) {
	ref, err := newReference(ctx, nil)
	if err != nil {
		return nil, err
	}
	e := &engine{reference: ref}
	if err := e.open(ctx, ref.server.URL()); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// beside returns an engine in another, new database of the same server. The caller closes its pool, and then e.
func (e *engine) beside(ctx context.Context, database string) (*engine, error) {
	at, err := url.Parse(e.server.URL())
	if err != nil {
		return nil, err
	}
	if _, err := e.pool.Exec(ctx, `create database `+database); err != nil {
		return nil, err
	}
	at.Path = "/" + database
	other := &engine{reference: e.reference}
	if err := other.open(ctx, at.String()); err != nil {
		if other.pool != nil {
			other.pool.Close()
		}
		return nil, err
	}
	return other, nil
}

func (e *engine) open(ctx context.Context, url string) (err error) {
	if e.pool, err = store.Open(ctx, url, store.PoolConfig{}); err != nil {
		return err
	}
	if _, err := store.Migrate(ctx, e.pool, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if err := store.MakePartitions(ctx, e.pool, 1); err != nil {
		return err
	}
	return e.pool.QueryRow(ctx, `insert into projects (name) values ('bench') returning id`).Scan(&e.project)
}

func (e *engine) close() error {
	if e.pool != nil {
		e.pool.Close()
	}
	return e.reference.close()
}

// packer returns a packer that counts what it writes in registry, which may be nil.
func (e *engine) packer(registry prometheus.Registerer) *pack.Packer {
	return pack.New(e.pool, pack.Config{Metrics: registry})
}

// reader returns a reader of all that the engine has; it keeps no decoded rows when cacheBytes is negative.
func (e *engine) reader(cacheBytes int64) *history.Reader {
	held := tail.New()
	return history.New(e.pool, held, journal.NewFollower(e.pool, held), history.Config{CacheBytes: cacheBytes})
}

// fill appends steps of a fleet to the journal, perEntry in an entry, and packs them after every packEvery entries and at
// the end. It returns how many readings there were.
func (e *engine) fill(ctx context.Context, p *pack.Packer, f *fleet, steps, perEntry, packEvery int) (n int, err error) {
	for entry := 1; steps > 0; entry++ {
		now := min(perEntry, steps)
		steps -= now
		n += now * len(f.gauges)
		if err := e.appendSteps(ctx, f, now); err != nil {
			return n, err
		}
		if entry%packEvery == 0 || steps == 0 {
			if err := p.Pack(ctx, e.project); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// appendSteps appends steps of a fleet, in entries of at most 20,000 readings: as much as one commit takes.
func (e *engine) appendSteps(ctx context.Context, f *fleet, steps int) error {
	for steps > 0 {
		now := min(steps, max(1, 20_000/len(f.gauges)))
		steps -= now
		e.buffer = e.buffer[:0]
		for range now {
			e.buffer = f.step(e.buffer)
		}
		if err := e.append(ctx, e.buffer); err != nil {
			return err
		}
	}
	return nil
}

// settle settles all days that are over, which those of all fleets are.
func (e *engine) settle(ctx context.Context, p *pack.Packer) error {
	return p.Settle(ctx, e.project, time.Now())
}

// packedTables are all that packing writes.
var packedTables = []string{"young", "chunk", "rollup_hour", "rollup_day", "latest", "packing"}

// bytesOf returns what tables take, with their partitions, indexes and TOAST, after a vacuum.
func (e *engine) bytesOf(ctx context.Context, tables ...string) (total int64, err error) {
	for _, t := range tables {
		if _, err := e.pool.Exec(ctx, `vacuum (analyze) `+t); err != nil {
			return 0, err
		}
	}
	err = e.pool.QueryRow(ctx, `
		with recursive r as (
			select unnest($1::text[])::regclass::oid as oid
			union all
			select i.inhrelid from pg_inherits i join r on i.inhparent = r.oid
		)
		select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from r`, tables).Scan(&total)
	return total, err
}

// append stores readings as one entry of the journal; rs changes its order.
func (e *engine) append(ctx context.Context, rs []reading.Reading) error {
	return appendTo(ctx, e.pool, e.project, rs)
}

func appendTo(ctx context.Context, pool *pgxpool.Pool, project int64, rs []reading.Reading) error {
	rs = reading.Sort(rs)
	placed, err := store.AppendEntries(ctx, pool, uuid.New(), []store.Pending{{
		Project: project, Kind: journal.KindReadings, Count: len(rs), Payload: reading.Encode(nil, rs),
	}})
	if err == nil && len(placed) != 1 {
		err = fmt.Errorf("the project %d does not exist", project)
	}
	return err
}
