package transport_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

const (
	entriesOf = `{"id":"%s","type":"subscribe","payload":{"query":"subscription{entries(of:\"%s\")}"}}`
	entry     = `{"id":"%s","type":"next","payload":{"data":{"entries":%d}}}`
)

// greets is a First that says where it stands: the number is negative, to be told from entries.
func greets(context.Context, bool) error { return nil }

func TestIdenticalOperationsShareOneExecution(t *testing.T) {
	t.Parallel()
	w := setup(t)
	j := newJournal().in(w, transport.Plan{Share: "everybody"})
	j.first = greets
	j.publish("a", 7)
	var clients []*client
	for i := range 20 {
		c := w.join(t)
		clients = append(clients, c)
		for _, id := range []string{"1", "2"} {
			c.send(entriesOf, id, "a")
			c.expect(fmt.Sprintf(entry, id, -7))
		}
		if subscribers, feeds := w.subs.Counts(); subscribers != 2*(i+1) || feeds != 1 {
			t.Fatalf("%d subscribers of %d feeds", subscribers, feeds)
		}
	}
	j.publish("b", 1)
	j.publish("a", 100)
	for _, c := range clients {
		next := map[byte]int{'1': 8, '2': 8}
		for range 200 {
			got, err := c.read()
			if err != nil {
				t.Fatal(err)
			}
			id := got[7]
			next[id]++
			if want := fmt.Sprintf(entry, string(id), next[id]); got != want {
				t.Fatalf("want %s, got %s", want, got)
			}
		}
	}
	if opened, running := j.counts("a"); opened != 1 || running != 1 {
		t.Errorf("%d executions, %d of them running", opened, running)
	}
	if published, overruns := w.subs.Counters(); published != 100 || overruns != 0 {
		t.Errorf("%d payloads were made, %d times somebody was left behind", published, overruns)
	}
}

func TestOperationsShareWhenNothingButTheirBeginningDiffers(t *testing.T) {
	t.Parallel()
	type request map[string]any
	const doc = "subscription($of:String,$from:Int,$other:Int){entries(of:$of,from:$from,other:$other)}"
	vars := func(of string, from, other any) request { return request{"of": of, "from": from, "other": other} }
	f := func(a, b request, shared bool) {
		t.Helper()
		w := setup(t)
		j := newJournal()
		j.first = greets
		w.entries = j.stream
		w.plan = func(_ context.Context, args map[string]any) (transport.Plan, error) {
			return transport.Plan{Share: "rights of " + fmt.Sprint(args["of"])[:1], Begins: []string{"from"}}, nil
		}
		for _, r := range []request{a, b} {
			c := w.join(t)
			payload, _ := json.Marshal(r)
			c.send(`{"id":"1","type":"subscribe","payload":%s}`, payload)
			if got, err := c.read(); err != nil || !strings.Contains(got, `"next"`) {
				t.Fatal(got, err)
			}
		}
		want := 2
		if shared {
			want = 1
		}
		if _, feeds := w.subs.Counts(); feeds != want {
			t.Errorf("%v and %v: %d executions", a, b, feeds)
		}
	}
	const twice = "subscription($from:Int){entries(of:\"a\",from:$from,other:$from)}"
	const inFragment = "subscription($from:Int){...F} fragment F on Subscription{entries(of:\"a\",from:$from)}"
	const skips = "subscription($from:Boolean!){entries(of:\"a\") @skip(if:$from)}"
	f(request{"query": doc, "variables": vars("a", 1, 1)}, request{"query": doc, "variables": vars("a", 1, 1)}, true)
	f(request{"query": doc, "variables": vars("a", 1, 1)}, request{"query": doc, "variables": vars("a", 2, 1)}, true)
	f(request{"query": doc, "variables": vars("a", 1, 1)}, request{"query": doc, "variables": request{"of": "a", "other": 1}}, true)
	f(request{"query": doc, "variables": vars("a", 1, 1)}, request{"query": doc, "variables": vars("a", 1, 2)}, false)
	f(request{"query": doc, "variables": vars("a", 1, 1)}, request{"query": doc, "variables": vars("b", 1, 1)}, false)
	f(request{"query": twice, "variables": request{"from": 1}}, request{"query": twice, "variables": request{"from": 2}}, false)
	f(request{"query": inFragment, "variables": request{"from": 1}}, request{"query": inFragment, "variables": request{"from": 2}}, true)
	f(request{"query": skips, "variables": request{"from": false}}, request{"query": skips, "variables": request{"from": false}}, true)
	f(request{"query": "subscription{entries(of:\"a\")}"}, request{"query": "subscription {entries(of:\"a\")}"}, false)
	f(request{"query": "subscription{entries(of:\"a\")}"}, request{"query": "subscription{entries(of:\"a\")}", "extensions": request{"timing": true}}, false)
	const none = "subscription{entries(of:\"a\")}"
	f(request{"query": none}, request{"query": none, "variables": request{}, "extensions": request{}}, true)
	f(request{"query": none}, request{"query": none, "variables": request{"undeclared": 1}}, true)
	f(request{"query": none, "extensions": request{"operationId": "1"}}, request{"query": none, "extensions": request{"operationId": "2"}}, true)
	f(request{"query": inFragment, "variables": request{"from": 1}}, request{"query": inFragment}, true)
	const two = "subscription A{entries(of:\"a\")} subscription B{entries(of:\"a\")}"
	f(request{"query": two, "operationName": "A"}, request{"query": two, "operationName": "B"}, false)
	f(request{"query": two, "operationName": "A"}, request{"query": two, "operationName": "A"}, true)
}

func TestOperationsOfOtherRightsDoNotShare(t *testing.T) {
	t.Parallel()
	w := setup(t)
	j := newJournal()
	j.first = greets
	w.entries = j.stream
	shares := make(chan string, 4)
	w.plan = func(context.Context, map[string]any) (transport.Plan, error) {
		return transport.Plan{Share: <-shares}, nil
	}
	for _, share := range []string{"a", "b", "", ""} { // empty: for itself alone
		c := w.join(t)
		shares <- share
		c.send(entriesOf, "1", "x")
		c.expect(fmt.Sprintf(entry, "1", 0))
	}
	if _, feeds := w.subs.Counts(); feeds != 4 {
		t.Errorf("%d executions", feeds)
	}
}

func TestSharedExecutionHasTheRightsOfThePlanAndAPrivateOneItsSubscribers(t *testing.T) {
	t.Parallel()
	type key struct{}
	w := setup(t)
	j := newJournal().in(w, transport.Plan{
		Share: "x", Alone: true,
		Rights: func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, "everybody's") },
	})
	rights := make(chan string, 2)
	j.open = func(ctx context.Context, p transport.Part) error {
		rights <- fmt.Sprintln(p.Shared, ctx.Value(key{}))
		return nil
	}
	c := w.join(t)
	c.send(entriesOf, "1", "a")
	if got := []string{wait(t, rights, "its own"), wait(t, rights, "what is shared")}; !slices.Equal(got, []string{"false <nil>\n", "true everybody's\n"}) {
		t.Error(got)
	}
}

func TestTimingIsToldToThoseWhoAsk(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.plan = func(context.Context, map[string]any) (transport.Plan, error) { return transport.Plan{Share: "x"}, nil }
	committed := time.Now().Add(-time.Hour)
	w.entries = func(context.Context, map[string]any) (transport.Stream[any], error) {
		return &dated{committed: committed}, nil
	}
	c := w.join(t)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{entries}","extensions":{"timing":true}}}`)
	var got struct {
		Payload struct {
			Extensions struct {
				Timing struct{ CommittedAt, PublishedAt, SentAt time.Time }
			}
		}
	}
	text, err := c.read()
	if err == nil {
		err = json.Unmarshal([]byte(text), &got)
	}
	told := got.Payload.Extensions.Timing
	if err != nil || !told.CommittedAt.Equal(committed) || told.PublishedAt.Before(committed) || told.SentAt.Before(told.PublishedAt) {
		t.Errorf("%v %s", err, text)
	}
	c.send(entriesOf, "2", "x")
	c.expect(fmt.Sprintf(entry, "2", 1))
}

// dated says one thing to newcomers, which was committed some time.
type dated struct {
	stream
	committed time.Time
}

func (d *dated) First(context.Context, bool) (any, transport.Mark, error) {
	return 1, transport.Mark{Committed: d.committed}, nil
}

func (d *dated) Next(ctx context.Context) (any, transport.Mark, error) {
	<-ctx.Done()
	return nil, transport.Mark{}, ctx.Err()
}

func TestWhatWasSentIsTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	told := make(chan bool, 10)
	w.subs.Sent = func(committed, published time.Time) { told <- committed.IsZero() && time.Since(published) < time.Hour }
	j := newJournal().in(w, transport.Plan{Share: "x"})
	j.first = greets
	c := w.join(t)
	c.send(entriesOf, "1", "x")
	c.expect(fmt.Sprintf(entry, "1", 0))
	j.publish("x", 1)
	c.expect(fmt.Sprintf(entry, "1", 1))
	if !wait(t, told, "an answer") {
		t.Error("the times are wrong")
	}
	if len(told) > 0 {
		t.Error("what only a newcomer got is told too")
	}
}

// TestThousandSocketsOfOneFeedGetEverythingWhileOthersStall counts what a crowd receives that shares with clients that do not read.
func TestThousandSocketsOfOneFeedGetEverythingWhileOthersStall(t *testing.T) {
	t.Parallel()
	const sockets, stalled, n = 1000, 5, 40
	w := setup(t, func(ws *transport.WebSocket) { ws.Stall = patience })
	j := newJournal().in(w, transport.Plan{Share: "x"})
	j.first = greets
	topic := strings.Repeat("x", 100)
	for range stalled {
		c := w.join(t)
		c.send(`{"id":"%s","type":"subscribe","payload":{"query":"subscription{flood(bytes:%d)}"}}`, "f", 1_000_000)
		wait(t, w.began, "a flood")
		c.send(entriesOf, "1", topic)
	}
	var crowd sync.WaitGroup
	ready := make(chan struct{}, sockets)
	for range sockets {
		crowd.Go(func() {
			conn := knock(t, w.Listener.Addr().String(), `{"type":"connection_init"}`, fmt.Sprintf(entriesOf, "1", topic))
			if conn == nil {
				return
			}
			defer conn.Close()
			if err := follow(conn, n, func() { ready <- struct{}{} }); err != nil {
				t.Error(err)
			}
		})
	}
	for range sockets {
		wait(t, ready, "a client that listens")
	}
	for range n {
		j.publish(topic, 1)
	}
	crowd.Wait()
	if published, _ := w.subs.Counters(); published != n {
		t.Errorf("%d payloads were made", published)
	}
}

// follow reads an acknowledgement, a greeting and then entries 1 to n, each of them once.
func follow(conn net.Conn, n int, greeted func()) error {
	_ = conn.SetReadDeadline(time.Now().Add(2 * patience))
	want := []string{`{"type":"connection_ack"}`, fmt.Sprintf(entry, "1", 0)}
	for i := range n {
		want = append(want, fmt.Sprintf(entry, "1", i+1))
	}
	for i, text := range want {
		got, err := frame(conn)
		if err != nil || got != text {
			return fmt.Errorf("want %s, got %q %w", text, got, err)
		}
		if i == 1 {
			greeted()
		}
	}
	return nil
}

func TestRefusalOfASubscriptionReachesAClientThatReadsLate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.join(t)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{flood(bytes:5000000)}"}}`)
	wait(t, w.began, "a flood")
	w.plan = func(context.Context, map[string]any) (transport.Plan, error) {
		defer signal(w.began)
		return transport.Plan{}, fault.New(fault.Invalid, "no such series")
	}
	c.send(entriesOf, "2", "x")
	wait(t, w.began, "its plan")
	for {
		got, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(got, `{"id":"2"`) {
			if !strings.Contains(got, "no such series") {
				t.Error(got)
			}
			return
		}
	}
}
