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

// smallClients send 1 to 10 readings a request, as devices do that send when they have measured.
const smallClients = 64

// runIngestSmall compares small requests over HTTP with small inserts, one a request, by turns.
func runIngestSmall(ctx context.Context, quick bool) (r result, err error) {
	rounds, each := 3, 8*time.Second
	if quick {
		rounds, each = 2, 4*time.Second
	}
	b, err := newBed(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	ref, err := newReference(ctx, map[string]string{"max_connections": fmt.Sprint(smallClients + 10)})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, ref.close()) }()
	admin, err := pgx.Connect(ctx, ref.server.URL())
	if err != nil {
		return r, err
	}
	defer admin.Close(ctx)
	if _, err := newTable(ctx, admin); err != nil {
		return r, err
	}
	r.header = []string{"round", "HTTP requests/s", "p50 ms", "p99 ms", "CPU µs a request", "INSERT requests/s", "p50 ms", "p99 ms", "CPU µs a request"}
	var best, bestCPU, reference, referenceCPU float64
	for round := range rounds {
		ours, ourCPU, err := withCPU(b.database, func() (load, error) {
			return b.closedLoop(ctx, smallClients, each, func(dst []byte, client, n int) ([]byte, int) {
				return smallBody(dst, client, round*1_000_000+n)
			})
		})
		if err != nil {
			return r, err
		}
		theirs, theirCPU, err := withCPU(ref.dir, func() (load, error) { return insertSmall(ctx, ref, round, each) })
		if err != nil {
			return r, err
		}
		row := []string{fmt.Sprint(round + 1)}
		r.rows = append(r.rows, append(append(row, smallRow(ours, ourCPU)...), smallRow(theirs, theirCPU)...))
		if v := ours.requestsPerSecond(); v > best {
			best, bestCPU = v, ourCPU
		}
		if v := theirs.requestsPerSecond(); v > reference {
			reference, referenceCPU = v, theirCPU
		}
	}
	r.ratio = best / reference
	r.keys = []string{
		fmt.Sprintf("cpu_ratio=%.2f", bestCPU/referenceCPU),
		fmt.Sprintf("requests_per_s=%.0f", best), fmt.Sprintf("insert_per_s=%.0f", reference),
		fmt.Sprintf("cpu_us=%.0f", bestCPU), fmt.Sprintf("insert_cpu_us=%.0f", referenceCPU),
	}
	return r, nil
}

func smallRow(l load, cpu float64) []string {
	return []string{
		fmt.Sprintf("%.0f", l.requestsPerSecond()),
		fmt.Sprintf("%.1f", ms(quantile(l.took, 0.5))), fmt.Sprintf("%.1f", ms(quantile(l.took, 0.99))),
		fmt.Sprintf("%.0f", cpu),
	}
}

// withCPU returns what run has done and the processor time of PostgreSQL for each request, in µs.
func withCPU(data string, run func() (load, error)) (l load, cpu float64, err error) {
	before, err := postgresCPU(data)
	if err != nil {
		return l, 0, err
	}
	if l, err = run(); err != nil {
		return l, 0, err
	}
	after, err := postgresCPU(data)
	return l, float64((after - before).Microseconds()) / float64(l.requests), err
}

// smallReadings are those of the n-th request of a client: of series of its own, 1 to 10.
func smallReadings(dst []reading.Reading, client, n int) []reading.Reading {
	for i := range 1 + (client+n)%10 {
		dst = append(dst, reading.Reading{Series: int64(client*10 + i), Time: start.UnixMicro() + int64(n)*10_000, Value: gauge(n + i)})
	}
	return dst
}

func smallBody(dst []byte, client, n int) ([]byte, int) {
	var room [10]reading.Reading
	rs := smallReadings(room[:0], client, n)
	dst = strconv.AppendInt(append(dst, `{"device":"s`...), int64(client), 10)
	dst = strconv.AppendInt(append(dst, `","time":`...), rs[0].Time/1000, 10)
	dst = append(dst, `,"values":{`...)
	for i, r := range rs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `"m`...), int64(i), 10)
		dst = strconv.AppendFloat(append(dst, `":`...), r.Value, 'f', -1, 64)
	}
	return append(dst, "}}"...), len(rs)
}

// insertSmall has as many connections insert as there are clients, one statement and so one commit for each request.
func insertSmall(ctx context.Context, ref *reference, round int, d time.Duration) (load, error) {
	conns := make([]*pgx.Conn, smallClients)
	for i := range conns {
		conn, err := pgx.Connect(ctx, ref.server.URL())
		if err != nil {
			return load{}, err
		}
		defer conn.Close(ctx)
		conns[i] = conn
	}
	return together(smallClients, func(client int, deadline time.Time) (mine load, err error) {
		var rs []reading.Reading
		for n := round * 1_000_000; time.Now().Before(deadline); n++ {
			rs = smallReadings(rs[:0], client, n)
			t := time.Now()
			if err := insertReadings(ctx, conns[client], rs); err != nil {
				return mine, err
			}
			mine.took = append(mine.took, time.Since(t))
			mine.requests++
			mine.readings += len(rs)
		}
		return mine, nil
	}, d)
}
