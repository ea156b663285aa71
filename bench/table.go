package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
)

// table is the reference: PostgreSQL with a row for each reading, keyed by series and time.
type table struct {
	conn *pgx.Conn
	name string
}

// newTable makes an empty one.
func newTable(ctx context.Context, conn *pgx.Conn) (*table, error) {
	t := &table{conn, "bench_reading"}
	_, err := conn.Exec(ctx, `drop table if exists bench_reading;
		create table bench_reading (series bigint, time timestamptz, value double precision, primary key (series, time))`)
	return t, err
}

func (t *table) drop(ctx context.Context) error {
	_, err := t.conn.Exec(ctx, `drop table bench_reading`)
	return err
}

// copy loads readings by binary COPY, in one commit.
func (t *table) copy(ctx context.Context, rs []reading.Reading) error {
	_, err := t.conn.CopyFrom(ctx, pgx.Identifier{t.name}, []string{"series", "time", "value"},
		pgx.CopyFromSlice(len(rs), func(i int) ([]any, error) {
			return []any{rs[i].Series, time.UnixMicro(rs[i].Time), rs[i].Value}, nil
		}))
	return err
}

// insert is how a program without COPY stores readings that it may have sent before.
const insert = `insert into bench_reading select * from unnest($1::bigint[], $2::timestamptz[], $3::float8[]) on conflict do nothing`

func insertReadings(ctx context.Context, conn *pgx.Conn, rs []reading.Reading) error {
	series, times, values := make([]int64, len(rs)), make([]time.Time, len(rs)), make([]float64, len(rs))
	for i, r := range rs {
		series[i], times[i], values[i] = r.Series, time.UnixMicro(r.Time), r.Value
	}
	_, err := conn.Exec(ctx, insert, series, times, values)
	return err
}

// bytesPerRow is what the table takes with its index, for each of its rows.
func (t *table) bytesPerRow(ctx context.Context) (perRow float64, err error) {
	err = t.conn.QueryRow(ctx, `select pg_total_relation_size('bench_reading')::float8 / count(*) from bench_reading`).Scan(&perRow)
	if err != nil {
		return 0, fmt.Errorf("measure the table: %w", err)
	}
	return perRow, nil
}
