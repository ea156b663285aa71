package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	ingestClients = 16
	ingestSeries  = 1000
)

// runIngest sends as fast as the answers come, and loads the same readings by COPY, by turns.
func runIngest(ctx context.Context, quick bool) (r result, err error) {
	rounds, each := 3, 8*time.Second
	if quick {
		rounds, each = 2, 4*time.Second
	}
	b, err := newBed(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	var ours, theirs float64
	r.header = []string{"round", "HTTP readings/s", "p50 ms", "p99 ms", "COPY readings/s"}
	for round := range rounds {
		sent, err := sendFor(ctx, b, round, each)
		if err != nil {
			return r, err
		}
		copied, err := copyFor(ctx, b, each)
		if err != nil {
			return r, err
		}
		ours, theirs = max(ours, sent.readingsPerSecond()), max(theirs, copied)
		r.rows = append(r.rows, []string{
			fmt.Sprint(round + 1), fmt.Sprintf("%.0f", sent.readingsPerSecond()),
			fmt.Sprintf("%.1f", ms(quantile(sent.took, 0.5))), fmt.Sprintf("%.1f", ms(quantile(sent.took, 0.99))), fmt.Sprintf("%.0f", copied),
		})
	}
	r.ratio = ours / theirs
	r.keys = []string{fmt.Sprintf("readings_per_s=%.0f", ours), fmt.Sprintf("copy_per_s=%.0f", theirs)}
	return r, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sendFor has all clients post for a while.
func sendFor(ctx context.Context, b *bed, round int, d time.Duration) (load, error) {
	return b.closedLoop(ctx, ingestClients, d, func(dst []byte, client, n int) ([]byte, int) {
		return ingestBody(dst, client, round*1_000_000+n), batchSize
	})
}

// ingestBody is the n-th request of client c: one reading of each of the 1,000 series, which all clients share, at times
// of its own.
func ingestBody(dst []byte, c, n int) []byte {
	at := start.UnixMilli() + int64(n*ingestClients+c)*10
	dst = append(dst, '[')
	for i := range ingestSeries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"device":"d`...)
		dst = strconv.AppendInt(dst, int64(i/10), 10)
		dst = append(dst, `","metric":"m`...)
		dst = strconv.AppendInt(dst, int64(i%10), 10)
		dst = append(dst, `","time":`...)
		dst = strconv.AppendInt(dst, at, 10)
		dst = append(dst, `,"value":`...)
		dst = strconv.AppendFloat(dst, gauge(n+i), 'f', -1, 64)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func postReadings(ctx context.Context, client *http.Client, b *bed, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/v1/readings", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+b.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d %s", resp.StatusCode, answer)
	}
	return err
}

// copyFor loads the same readings in batches of the same size by binary COPY on one connection, a commit each, and
// returns readings a second. Larger batches, which no device would send, are tried too: the best counts.
func copyFor(ctx context.Context, b *bed, d time.Duration) (best float64, err error) {
	conn, err := b.postgres(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	for _, size := range []int{batchSize, 20 * batchSize} {
		_, err := conn.Exec(ctx, `drop table if exists bench_reading;
			create table bench_reading (series bigint, time timestamptz, value double precision, primary key (series, time))`)
		if err != nil {
			return 0, err
		}
		began, n := time.Now(), 0
		for ; time.Since(began) < d/2; n += size {
			at := 0
			_, err := conn.CopyFrom(ctx, pgx.Identifier{"bench_reading"}, []string{"series", "time", "value"},
				pgx.CopyFromFunc(func() ([]any, error) {
					if at == size {
						return nil, nil
					}
					i := n + at
					at++
					return []any{int64(i % ingestSeries), start.Add(time.Duration(i/ingestSeries) * 10 * time.Millisecond), gauge(i)}, nil
				}))
			if err != nil {
				return 0, err
			}
		}
		best = max(best, float64(n)/time.Since(began).Seconds())
	}
	_, err = conn.Exec(ctx, `drop table bench_reading`)
	return best, err
}
