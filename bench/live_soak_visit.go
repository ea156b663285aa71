package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/client"
)

// How a visit goes.
const (
	leaves   = "leaves"   // says good-bye
	vanishes = "vanishes" // is gone without a word
	returns  = "returns"  // is cut off without a word, goes on behind its cursor, then leaves
	stalls   = "stalls"   // takes nothing in for a while, goes on behind its cursor where it was cut off, then leaves
	flees    = "flees"    // is gone without a word, maybe before it has got anything
)

// Over what.
const (
	overSocket = "WebSocket"
	overSSE    = "SSE"
)

var soakTransports = []string{overSocket, overSSE}

const (
	soakStall    = 30 * time.Second
	soakPatience = 30 * time.Second // until all has come that was stored when a client wanted to leave
)

// visit is one client with one subscription.
type visit struct {
	soak *soak
	kind soakKind
	over string
	way  string
	stay time.Duration
	fled atomic.Bool // what comes, or does not, is not looked at any more
	lines
}

func (v *visit) String() string {
	return fmt.Sprintf("%s over %s, %s after %s", v.kind.name, v.over, v.way, v.stay)
}

// anyVisit returns one as they come.
func (s *soak) anyVisit() *visit {
	v := &visit{soak: s, kind: soakKinds[rand.IntN(len(soakKinds))], over: overSocket, way: leaves, stay: rand.N(40 * time.Second)}
	if v.kind.name == soakAll.name && rand.IntN(2) == 0 { // it takes twenty times as much as another
		v.kind = soakChart
	}
	switch n := rand.IntN(100); {
	case n < 20:
		v.way, v.stay = flees, rand.N(200*time.Millisecond)
	case n < 35:
		v.over = overSSE
	case n < 55:
		v.way = vanishes
	case n < 75:
		v.way = returns
	case n < 80:
		v.way, v.kind, v.narrow = stalls, soakAll, true
	}
	return v
}

// run comes, takes what it is told, and leaves. It returns what was wrong.
func (v *visit) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, v.stay+soakStall+soakPatience)
	defer cancel()
	i := v.kind.make(v.soak, rand.IntN(soakDevices))
	if v.way == flees || len(i.devices) == 0 { // or may be told nothing when it wants to leave
		fleeing := time.AfterFunc(v.stay, func() { v.fled.Store(true); v.cut(); cancel() })
		defer fleeing.Stop()
	}
	defer func() {
		v.soak.connects.Add(v.made.Load())
		v.soak.again.Add(max(v.made.Load()-1, 0))
		if v.way == stalls && v.made.Load() > 1 {
			v.soak.cutOff.Add(1)
		}
	}()
	until, interrupted := time.Now().Add(v.stay), false
	var acked []int64 // what was stored when it wanted to leave
	for e, err := range v.events(ctx, i.request) {
		switch {
		case err == nil && len(e.Errors) > 0:
			return e.Errors
		case v.fled.Load():
			return nil
		case err != nil:
			return err
		}
		if err := i.hear(e); err != nil {
			return err
		}
		now := time.Now()
		if !interrupted && now.After(until.Add(-v.stay/2)) {
			interrupted = true
			v.interrupt()
		}
		if acked == nil && now.After(until) {
			acked = v.soak.noteAcked()
		}
		if acked != nil && i.complete(acked) {
			if v.way == vanishes {
				v.cut()
			}
			return nil
		}
	}
	return errors.New("the server has ended it")
}

// interrupt is what happens to it halfway.
func (v *visit) interrupt() {
	switch v.way {
	case returns:
		v.cut()
	case stalls:
		v.lines.stall(soakStall)
	}
}

func (v *visit) events(ctx context.Context, r client.Request) iter.Seq2[client.Event, error] {
	if v.over == overSSE {
		return v.stream(ctx, r)
	}
	c, err := client.New(v.soak.bed.url, client.Key(v.soak.bed.key))
	if err != nil {
		return func(yield func(client.Event, error) bool) { yield(client.Event{}, err) }
	}
	c.Dialer = &websocket.Dialer{NetDialContext: v.dial, ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &soakBuffers}
	c.Backoff = func(int) time.Duration { return rand.N(500 * time.Millisecond) }
	return c.Subscribe(ctx, r)
}

var soakBuffers sync.Pool

// stream is the same over Server-Sent Events; it does not come again.
func (v *visit) stream(ctx context.Context, r client.Request) iter.Seq2[client.Event, error] {
	return func(yield func(client.Event, error) bool) {
		resp, err := v.ask(ctx, r)
		if err != nil {
			yield(client.Event{}, err)
			return
		}
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
			if !ok || len(data) == 0 {
				continue
			}
			var e client.Event
			if err := json.Unmarshal(data, &e); err != nil {
				yield(client.Event{}, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		yield(client.Event{}, cmp.Or(ctx.Err(), lines.Err(), io.ErrUnexpectedEOF))
	}
}

// ask begins a stream on a connection of its own.
func (v *visit) ask(ctx context.Context, r client.Request) (*http.Response, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.soak.bed.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+v.soak.bed.key)
	resp, err := (&http.Transport{DialContext: v.dial, DisableKeepAlives: true}).RoundTrip(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		err = fmt.Errorf("the stream begins with %s", resp.Status)
	}
	return resp, err
}
