package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// SeriesID is what the database knows of a series: its id and its unit.
type SeriesID struct {
	ID   int64
	Unit string
}

// ErrUnit is the answer to readings in another unit than their series has.
var ErrUnit = fault.New(fault.UnitMismatch, "a series has another unit than these readings: send them in its unit, or under another metric")

// ResolveSeries returns the ids of the series of a project, in their order, and makes those that do not exist yet. With
// device != 0 all of them are of that device, whatever they name; else each names its device, which is made too when the
// project allows it. A unit is taken over by a series that has none.
//
// names is the edition of the project's names that the ids are of: see Pending.
//
// Faults, the first two with the Index of the series: UnitMismatch (ErrUnit) for readings in another unit, UnknownDevice
// when a device does not exist and is not to be made, NotFound when the project or the device does
// not exist any more. The project is that of a key, so no rule of ent stands before this. All or nothing; two
// processes may resolve the same series at once.
func ResolveSeries(ctx context.Context, pool *pgxpool.Pool, project, device int64, series []reading.Series) (ids []SeriesID, names int64, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// First: what changes after it is of a later edition.
		const edition = `select coalesce((select names from journal_head where project_id = $1), 1)`
		if err := tx.QueryRow(ctx, edition, project).Scan(&names); err != nil {
			return fmt.Errorf("read the edition of names: %w", err)
		}
		devices, err := resolveDevices(ctx, tx, project, device, series)
		if err != nil {
			return err
		}
		ids, err = resolveSeries(ctx, tx, project, devices, series)
		return err
	})
	if err != nil {
		return nil, 0, Fault(err)
	}
	return ids, names, nil
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

// resolveDevices returns the device's id of each of the series.
func resolveDevices(ctx context.Context, tx pgx.Tx, project, device int64, series []reading.Series) ([]int64, error) {
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
	err := tx.QueryRow(ctx, `select auto_create_devices from projects where id = $1`, project).Scan(&make)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "not found")
	}
	if err != nil {
		return nil, fmt.Errorf("read project: %w", err)
	}
	if make {
		// Sorted, so that two transactions that make the same devices wait for each other instead of deadlocking.
		_, err := tx.Exec(ctx, `insert into devices (project_id, name)
			select $1, name from (select distinct unnest($2::text[]) as name order by 1) as named
			where not exists (select from devices d where d.project_id = $1 and d.name = named.name)
			on conflict do nothing`, project, names)
		if err != nil {
			return nil, fmt.Errorf("make devices: %w", err)
		}
	}
	rows, err := tx.Query(ctx, `select named.place - 1, d.id
		from unnest($2::text[]) with ordinality as named (name, place)
		join devices d on d.project_id = $1 and d.name = named.name`, project, names)
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

func resolveSeries(ctx context.Context, tx pgx.Tx, project int64, devices []int64, series []reading.Series) ([]SeriesID, error) {
	metrics, labels, units := make([]string, len(series)), make([]string, len(series)), make([]string, len(series))
	for i, s := range series {
		metrics[i], labels[i], units[i] = s.Metric, string(s.Labels), s.Unit
	}
	_, err := tx.Exec(ctx, `insert into series (project_id, device_id, metric, labels, unit)
		select $1, device_id, metric, labels, unit
		from unnest($2::bigint[], $3::text[], $4::jsonb[], $5::text[]) with ordinality as named (device_id, metric, labels, unit, place)
		where not exists (select from series s where (s.device_id, s.metric, s.labels) = (named.device_id, named.metric, named.labels))
		order by device_id, metric, labels, place
		on conflict do nothing`, project, devices, metrics, labels, units)
	if err != nil {
		return nil, fmt.Errorf("make series: %w", err)
	}
	_, err = tx.Exec(ctx, `update series s set unit = named.unit
		from unnest($1::bigint[], $2::text[], $3::jsonb[], $4::text[]) as named (device_id, metric, labels, unit)
		where s.device_id = named.device_id and s.metric = named.metric and s.labels = named.labels
		and s.unit = '' and named.unit <> ''`, devices, metrics, labels, units)
	if err != nil {
		return nil, fmt.Errorf("take over units: %w", err)
	}
	rows, err := tx.Query(ctx, `select named.place - 1, s.id, s.unit
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
		return nil, fault.New(fault.NotFound, "not found")
	}
	for i, s := range series {
		if s.Unit != "" && s.Unit != ids[i].Unit {
			return nil, ErrUnit.At(i)
		}
	}
	return ids, nil
}
