package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// statsRows is the reference: a table in the order of its primary key (series, time), filled and indexed at once and
// vacuumed, and beside it one that says of which site a series is, in a PostgreSQL of its own, which has more memory than
// the one of Readout. Queries may be parallel, as far as PostgreSQL makes them so by itself.
type statsRows struct {
	server *reference
	conn   *pgx.Conn
}

// statsSettings are what one would give a machine that does nothing else.
var statsSettings = map[string]string{
	"shared_buffers":           "4GB", // 50 million rows and their index
	"effective_cache_size":     "12GB",
	"work_mem":                 "512MB", // no sort goes to disk
	"hash_mem_multiplier":      "2",
	"maintenance_work_mem":     "2GB",
	"random_page_cost":         "1.1",
	"effective_io_concurrency": "200",
	"max_wal_size":             "16GB",
}

func newStatsRows(ctx context.Context) (*statsRows, error) {
	server, err := newReference(ctx, statsSettings)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, server.server.URL())
	if err != nil {
		return nil, errors.Join(err, server.close())
	}
	return &statsRows{server, conn}, nil
}

func (s *statsRows) close(ctx context.Context) error {
	return errors.Join(s.conn.Close(context.WithoutCancel(ctx)), s.server.close())
}

// load fills the table with what Readout has. All is one transaction, which need not log what it writes into a table that
// it has made.
func (s *statsRows) load(ctx context.Context, l *statsLoad) error {
	tx, err := s.conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, `create table bench_reading (series bigint not null, time timestamptz not null, value double precision not null)`); err != nil {
		return err
	}
	if err := s.copy(ctx, l); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `
		alter table bench_reading add primary key (series, time);
		create table bench_site (series bigint primary key, site int not null)`); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `insert into bench_site select $1::bigint + i, i % $2 from generate_series(0, $3 - 1) i`, int64(firstSeries), l.sites, l.series); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	for _, command := range []string{`vacuum (freeze, analyze) bench_reading`, `vacuum (freeze, analyze) bench_site`, `checkpoint`} {
		if _, err := s.conn.Exec(ctx, command); err != nil {
			return err
		}
	}
	return nil
}

// copy copies the readings in the order of the key.
func (s *statsRows) copy(ctx context.Context, l *statsLoad) error {
	t := &table{s.conn, "bench_reading"}
	for i := range l.series + 1 {
		series, count := firstSeries+int64(i), statsPoints
		if series == l.dense() {
			count = densePoints
		}
		rs, err := l.all(ctx, series, count)
		if err != nil {
			return err
		}
		if err := t.copy(ctx, rs); err != nil {
			return err
		}
	}
	return nil
}

// ask asks a question in one of its forms.
func (s *statsRows) ask(ctx context.Context, f form) (cells []cell, err error) {
	rows, err := s.conn.Query(ctx, f.sql, f.args...)
	if err != nil {
		return nil, err
	}
	var c cell
	var start time.Time
	_, err = pgx.ForEachRow(rows, []any{&c.group, &start, &c.n, &c.min, &c.mean, &c.max, &c.quantiles}, func() error {
		c.start = start.UnixMicro()
		cells = append(cells, c)
		c.quantiles = nil // which the next row gets anew
		return nil
	})
	return cells, err
}
