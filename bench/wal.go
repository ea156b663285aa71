package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
)

// runWAL compares what the database writes to its log for a reading: sent over HTTP, packed and settled, and loaded by
// COPY into a table with its primary key. Both get the same readings, in the order in which they come.
func runWAL(ctx context.Context, quick bool) (r result, err error) {
	steps := 8640 // a day
	if quick {
		steps = 2160
	}
	b, err := newBed(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	conn, err := b.postgres(ctx)
	if err != nil {
		return r, err
	}
	defer conn.Close(ctx)
	f := newFleet(ingestSeries, 10*time.Second, false)
	var all []reading.Reading
	for range steps {
		all = f.step(all)
	}
	ingested, err := walOf(ctx, conn, func() error { return b.sendSteps(ctx, all) })
	if err != nil {
		return r, err
	}
	packed, err := walOf(ctx, conn, func() error {
		_, err := b.command(ctx, "pack", "--project", b.project, "--settle")
		return err
	})
	if err != nil {
		return r, err
	}
	t, err := newTable(ctx, conn)
	if err != nil {
		return r, err
	}
	copied, err := walOf(ctx, conn, func() error {
		for left := all; len(left) > 0; left = left[min(len(left), 20*batchSize):] {
			if err := t.copy(ctx, left[:min(len(left), 20*batchSize)]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	n := float64(len(all))
	r.header = []string{"", "WAL B a reading"}
	r.rows = [][]string{
		{"HTTP, 1,000 readings a request", fmt.Sprintf("%.2f", ingested/n)},
		{"packed and settled", fmt.Sprintf("%.2f", packed/n)},
		{"COPY into the table, 20,000 rows a commit", fmt.Sprintf("%.2f", copied/n)},
	}
	r.ratio = copied / (ingested + packed)
	r.keys = []string{
		fmt.Sprintf("bytes=%.2f", (ingested+packed)/n), fmt.Sprintf("ingest=%.2f", ingested/n),
		fmt.Sprintf("pack=%.2f", packed/n), fmt.Sprintf("copy=%.2f", copied/n),
	}
	return r, nil
}

// walOf returns the bytes that the database writes to its log while run runs.
func walOf(ctx context.Context, conn *pgx.Conn, run func() error) (bytes float64, err error) {
	var before string
	if err := conn.QueryRow(ctx, `select pg_current_wal_insert_lsn()::text`).Scan(&before); err != nil {
		return 0, err
	}
	if err := run(); err != nil {
		return 0, err
	}
	err = conn.QueryRow(ctx, `select (pg_current_wal_insert_lsn() - $1::pg_lsn)::float8`, before).Scan(&bytes)
	return bytes, err
}

// sendSteps posts the readings of a fleet, a request for each of its steps, over several connections.
func (b *bed) sendSteps(ctx context.Context, all []reading.Reading) error {
	steps := len(all) / ingestSeries
	_, err := together(ingestClients, func(client int, _ time.Time) (l load, err error) {
		w, err := b.dial(ctx)
		if err != nil {
			return l, err
		}
		defer w.close()
		var body []byte
		for n := client; n < steps; n += ingestClients {
			body = stepBody(body[:0], all[n*ingestSeries:(n+1)*ingestSeries])
			if err := w.accepted(body); err != nil {
				return l, err
			}
		}
		return l, nil
	}, 0)
	return err
}

// stepBody is a request with one reading of each series, as the ingest scenario sends them.
func stepBody(dst []byte, rs []reading.Reading) []byte {
	dst = append(dst, '[')
	for i, r := range rs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `{"device":"d`...), int64(i/10), 10)
		dst = strconv.AppendInt(append(dst, `","metric":"m`...), int64(i%10), 10)
		dst = strconv.AppendInt(append(dst, `","time":`...), r.Time/1000, 10)
		dst = strconv.AppendFloat(append(dst, `,"value":`...), r.Value, 'f', -1, 64)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}
