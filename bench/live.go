package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// runLive posts one reading after the other and takes the time until a subscriber has it, by turns with a bare commit.
func runLive(ctx context.Context, quick bool) (r result, err error) {
	n := 5000
	if quick {
		n = 1000
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
	if _, err := conn.Exec(ctx, `create table bench_row (at timestamptz, value double precision)`); err != nil {
		return r, err
	}
	socket, err := subscribe(ctx, b)
	if err != nil {
		return r, err
	}
	defer socket.Close()

	var live, acks, commits []time.Duration
	for i := range n {
		t := time.Now()
		if _, err := conn.Exec(ctx, `insert into bench_row values (now(), $1)`, float64(i)); err != nil {
			return r, err
		}
		commits = append(commits, time.Since(t))
		arrived := make(chan error, 1)
		t = time.Now()
		go func() { arrived <- event(socket, i) }()
		body := fmt.Appendf(nil, `{"device":"d","metric":"m","value":%d,"time":%d}`, i, start.UnixMilli()+int64(i))
		if err := postReadings(ctx, http.DefaultClient, b, body); err != nil {
			return r, err
		}
		acks = append(acks, time.Since(t))
		if err := <-arrived; err != nil {
			return r, err
		}
		live = append(live, time.Since(t))
	}
	r.header = []string{"", "p50 ms", "p99 ms"}
	for _, row := range []struct {
		name string
		took []time.Duration
	}{{"bare INSERT, committed", commits}, {"POST to its answer", acks}, {"POST to the subscriber's event", live}} {
		r.rows = append(r.rows, []string{row.name, fmt.Sprintf("%.2f", ms(quantile(row.took, 0.5))), fmt.Sprintf("%.2f", ms(quantile(row.took, 0.99)))})
	}
	r.ratio = float64(median(commits)) / float64(median(live))
	r.keys = []string{
		fmt.Sprintf("live_p50_ms=%.2f", ms(quantile(live, 0.5))), fmt.Sprintf("live_p99_ms=%.2f", ms(quantile(live, 0.99))),
		fmt.Sprintf("commit_p50_ms=%.2f", ms(quantile(commits, 0.5))),
	}
	return r, nil
}

// subscribe opens a subscription to the metric m and returns when it is live.
func subscribe(ctx context.Context, b *bed) (*websocket.Conn, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.DialContext(ctx, strings.Replace(b.url, "http", "ws", 1)+"/graphql", nil)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	for _, message := range []string{
		`{"type":"connection_init","payload":{"authorization":"Bearer ` + b.key + `"}}`,
		`{"type":"subscribe","id":"1","payload":{"query":"subscription { readings(series: {metric: \"m\"}) { caughtUp readings { value } } }"}}`,
	} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
			return nil, err
		}
		if _, _, err := conn.ReadMessage(); err != nil { // connection_ack, then caughtUp
			return nil, err
		}
	}
	return conn, nil
}

// event reads one event and checks that it is the one of the value.
func event(conn *websocket.Conn, value int) error {
	var m struct {
		Payload struct {
			Data struct {
				Readings struct{ Readings []struct{ Value float64 } }
			}
		}
	}
	_, text, err := conn.ReadMessage()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	if r := m.Payload.Data.Readings.Readings; len(r) != 1 || r[0].Value != float64(value) {
		return fmt.Errorf("want the reading %d, got %s", value, text)
	}
	return nil
}
