package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// SeriesID is what the database knows of a series: its id and its unit.
type SeriesID struct {
	ID   int64
	Unit string
}

// Resolved is what ResolveSeries has found and made.
type Resolved struct {
	Series  []SeriesID      // in the order asked for
	Names   int64           // the edition of the project's names that their ids are of: see Pending
	Changes []entity.Change // devices and series that were made, and series that took over a unit
}

// ErrUnit is the answer to readings in another unit than their series has.
var ErrUnit = fault.New(fault.UnitMismatch, "a series has another unit than these readings: send them in its unit, or under another metric")

// ResolveSeries returns the ids of the series of a project, and makes those that do not exist yet. With device != 0 all of
// them are of that device, whatever they name; else each names its device, which is made too when the project allows it. A
// unit is taken over by a series that has none.
//
// Faults, the first two with the Index of the series: UnitMismatch (ErrUnit) for readings in another unit, UnknownDevice
// when a device does not exist and is not to be made, NotFound when the project or the device does
// not exist any more. The project is that of a key, so no rule of ent stands before this. All or nothing; two
// processes may resolve the same series at once.
func ResolveSeries(ctx context.Context, pool *pgxpool.Pool, project, device int64, series []reading.Series) (Resolved, error) {
	for try := 1; ; try++ {
		found, err := tryToResolve(ctx, pool, project, device, series)
		if errors.Is(err, errDeleted) && try < 5 {
			continue
		}
		return found, Fault(err)
	}
}

// errDeleted is the answer to series that somebody has deleted while they were looked up.
var errDeleted = fault.New(fault.NotFound, "not found")

func tryToResolve(ctx context.Context, pool *pgxpool.Pool, project, device int64, series []reading.Series) (found Resolved, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		r := resolving{tx: tx, project: project}
		// First: what changes after it is of a later edition.
		const edition = `select coalesce((select names from journal_head where project_id = $1), 1)`
		if err := tx.QueryRow(ctx, edition, project).Scan(&found.Names); err != nil {
			return fmt.Errorf("read the edition of names: %w", err)
		}
		devices, err := r.devices(ctx, device, series)
		if err != nil {
			return err
		}
		found.Series, err = r.series(ctx, devices, series)
		found.Changes = r.changes
		return err
	})
	if err != nil {
		return Resolved{}, err
	}
	for i := range found.Changes {
		found.Changes[i].At = time.Now().UnixMicro()
	}
	return found, nil
}

// Rename begins a new edition of a project's names, after units or names were changed: who took ids from an earlier one
// looks them up again. Faults: as Fault.
func Rename(ctx context.Context, pool *pgxpool.Pool, project int64) error {
	_, err := pool.Exec(ctx, `insert into journal_head (project_id, names) select id, 2 from projects where id = $1
		on conflict (project_id) do update set names = journal_head.names + 1`, project)
	if err != nil {
		return Fault(fmt.Errorf("begin a new edition of the names of project %d: %w", project, err))
	}
	return nil
}

// resolving is a call of ResolveSeries under way.
type resolving struct {
	tx      pgx.Tx
	project int64
	changes []entity.Change
}

// change runs a statement that returns the ids of what it changes.
func (r *resolving) change(ctx context.Context, kind entity.Kind, typ entity.Type, what, statement string, args ...any) error {
	rows, err := r.tx.Query(ctx, statement, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		r.changes = append(r.changes, entity.Change{Kind: kind, Type: typ, ID: id, Project: r.project})
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// devices returns the device's id of each of the series.
func (r *resolving) devices(ctx context.Context, device int64, series []reading.Series) ([]int64, error) {
	ids := make([]int64, len(series))
	if device != 0 {
		for i := range ids {
			ids[i] = device
		}
		return ids, nil
	}
	names := make([]string, len(series))
	for i, s := range series {
		names[i] = s.Device
	}
	var make bool
	err := r.tx.QueryRow(ctx, `select auto_create_devices from projects where id = $1`, r.project).Scan(&make)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "not found")
	}
	if err != nil {
		return nil, fmt.Errorf("read project: %w", err)
	}
	if make {
		// Sorted, so that two transactions that make the same devices wait for each other instead of deadlocking.
		err := r.change(ctx, entity.Created, entity.Device, "make devices", `insert into devices (project_id, name)
			select $1, name from (select distinct unnest($2::text[]) as name order by 1) as named
			where not exists (select from devices d where d.project_id = $1 and d.name = named.name)
			on conflict do nothing returning id`, r.project, names)
		if err != nil {
			return nil, err
		}
	}
	rows, err := r.tx.Query(ctx, `select named.place - 1, d.id
		from unnest($2::text[]) with ordinality as named (name, place)
		join devices d on d.project_id = $1 and d.name = named.name`, r.project, names)
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	var place, id int64
	if _, err := pgx.ForEachRow(rows, []any{&place, &id}, func() error { ids[place] = id; return nil }); err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	for i, id := range ids {
		if id == 0 {
			return nil, fault.New(fault.UnknownDevice, "a device named here does not exist: create it, or let the project create devices (autoCreateDevices)").At(i)
		}
	}
	return ids, nil
}

// series returns what the series of these devices are.
func (r *resolving) series(ctx context.Context, devices []int64, series []reading.Series) ([]SeriesID, error) {
	metrics, labels, units := make([]string, len(series)), make([]string, len(series)), make([]string, len(series))
	for i, s := range series {
		metrics[i], labels[i], units[i] = s.Metric, string(s.Labels), s.Unit
	}
	err := r.change(ctx, entity.Created, entity.Series, "make series", `insert into series (project_id, device_id, metric, labels, unit)
		select $1, device_id, metric, labels, unit
		from unnest($2::bigint[], $3::text[], $4::jsonb[], $5::text[]) with ordinality as named (device_id, metric, labels, unit, place)
		where not exists (select from series s where (s.device_id, s.metric, s.labels) = (named.device_id, named.metric, named.labels))
		order by device_id, metric, labels, place
		on conflict do nothing returning id`, r.project, devices, metrics, labels, units)
	if err != nil {
		return nil, err
	}
	err = r.change(ctx, entity.Updated, entity.Series, "take over units", `update series s set unit = named.unit
		from unnest($1::bigint[], $2::text[], $3::jsonb[], $4::text[]) as named (device_id, metric, labels, unit)
		where s.device_id = named.device_id and s.metric = named.metric and s.labels = named.labels
		and s.unit = '' and named.unit <> '' returning s.id`, devices, metrics, labels, units)
	if err != nil {
		return nil, err
	}
	rows, err := r.tx.Query(ctx, `select named.place - 1, s.id, s.unit
		from unnest($1::bigint[], $2::text[], $3::jsonb[]) with ordinality as named (device_id, metric, labels, place)
		join series s on s.device_id = named.device_id and s.metric = named.metric and s.labels = named.labels`,
		devices, metrics, labels)
	if err != nil {
		return nil, fmt.Errorf("read series: %w", err)
	}
	ids := make([]SeriesID, len(series))
	var place int64
	var found SeriesID
	n, err := pgx.ForEachRow(rows, []any{&place, &found.ID, &found.Unit}, func() error { ids[place] = found; return nil })
	if err != nil {
		return nil, fmt.Errorf("read series: %w", err)
	}
	if n.RowsAffected() != int64(len(series)) {
		return nil, errDeleted
	}
	for i, s := range series {
		if s.Unit != "" && s.Unit != ids[i].Unit {
			return nil, ErrUnit.At(i)
		}
	}
	return ids, nil
}
