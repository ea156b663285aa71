package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// restartPromise is how many unpacked readings a second the server takes in when it starts.
const restartPromise = 10e6

// runRestart kills the server with kill -9, empty and with millions of readings that are not packed, and takes the time of
// the next start: until it says that it is ready, PostgreSQL's recovery included, and until the first query of the project is
// answered, for which the project is loaded. The rate is that of the loading.
func runRestart(ctx context.Context, quick bool) (r result, err error) {
	steps := 10_000
	if quick {
		steps = 2000
	}
	b, err := newBed(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	w, err := b.dial(ctx)
	if err != nil {
		return r, err
	}
	body := ingestBody(nil, 0, 0)
	if err := errors.Join(w.accepted(body)); err != nil { // the series
		return r, err
	}
	w.close()

	b.kill()
	empty, err := b.startAndAsk(ctx)
	if err != nil {
		return r, err
	}
	if err := b.stop(); err != nil {
		return r, err
	}
	unpacked, err := b.fillJournal(ctx, steps)
	if err != nil {
		return r, err
	}
	full, err := b.startAndAsk(ctx)
	if err != nil {
		return r, err
	}
	rate := float64(unpacked) / (full.answered - full.ready).Seconds()
	r.header = []string{"unpacked readings", "ready after s", "first answer after s"}
	for _, row := range []struct {
		n int
		s started
	}{{ingestSeries, empty}, {unpacked, full}} {
		r.rows = append(r.rows, []string{fmt.Sprint(row.n), fmt.Sprintf("%.2f", row.s.ready.Seconds()), fmt.Sprintf("%.2f", row.s.answered.Seconds())})
	}
	r.ratio = rate / restartPromise
	r.keys = []string{
		fmt.Sprintf("readings_per_s=%.0f", rate), fmt.Sprintf("ready_s=%.2f", full.ready.Seconds()),
		fmt.Sprintf("answer_s=%.2f", full.answered.Seconds()), fmt.Sprintf("empty_ready_s=%.2f", empty.ready.Seconds()),
	}
	return r, nil
}

// started says how long a start took.
type started struct{ ready, answered time.Duration }

// startAndAsk starts the server on what a crash has left, and asks for a reading of the project as soon as it is ready.
func (b *bed) startAndAsk(ctx context.Context) (s started, err error) {
	began := time.Now()
	if err := b.serve(ctx); err != nil {
		return s, err
	}
	for {
		resp, err := http.Get(b.url + "/readyz")
		if err != nil {
			return s, err
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.ready = time.Since(began)
	var answer struct {
		Data struct{ Latest []struct{ Value float64 } }
	}
	if err := b.ask(ctx, `{ latest(series: {metric: "m0", hasDeviceWith: [{name: "d0"}]}) { value } }`, &answer); err != nil {
		return s, err
	}
	s.answered = time.Since(began)
	if len(answer.Data.Latest) != 1 {
		return s, fmt.Errorf("the latest reading is not there: %+v", answer)
	}
	return s, nil
}

// ask sends a GraphQL query.
func (b *bed) ask(ctx context.Context, query string, into any) error {
	text, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/graphql", strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+b.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GraphQL: %s", resp.Status)
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var failed struct{ Errors []struct{ Message string } }
	if err := json.Unmarshal(answer, &failed); err != nil || len(failed.Errors) > 0 {
		return fmt.Errorf("GraphQL: %s", answer)
	}
	return json.Unmarshal(answer, into)
}

// fillJournal appends steps readings of each series to the journal while no server runs that would pack them, and ends
// the database with kill -9. Their values are those of gauges, in entries of 20,000.
func (b *bed) fillJournal(ctx context.Context, steps int) (n int, err error) {
	e, err := store.StartEmbedded(ctx, store.EmbeddedConfig{Dir: b.data()})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, e.Stop(ctx)) }()
	pool, err := store.Open(ctx, e.URL(), store.PoolConfig{})
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	project, err := strconv.ParseInt(b.project, 10, 64)
	if err != nil {
		return 0, err
	}
	var first int64
	if err := pool.QueryRow(ctx, `select min(id) from series where project_id = $1`, project).Scan(&first); err != nil {
		return 0, err
	}
	f := newFleet(ingestSeries, 10*time.Second, false)
	var rs []reading.Reading
	for range steps / 20 {
		rs = rs[:0]
		for range 20 {
			rs = f.step(rs)
		}
		for i := range rs {
			rs[i].Series += first - firstSeries
		}
		if err := appendTo(ctx, pool, project, rs); err != nil {
			return n, err
		}
		n += len(rs)
	}
	postmaster, err := postmasterOf(b.data())
	if err != nil {
		return n, err
	}
	return n, syscall.Kill(postmaster, syscall.SIGKILL)
}
