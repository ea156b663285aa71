package client_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/client"
)

func TestSubscriptionGoesOnAfterItsLastCursor(t *testing.T) {
	t.Parallel()
	for _, code := range []int{1000, 1001, 1006, 1011, 1012, 1013, 4408, 4410} {
		var asked []map[string]any
		c := serve(t, func(p *peer) {
			asked = append(asked, p.accept().Payload.Variables)
			p.next(`{"readings":{"cursor":"a"}}`)
			p.next(`{"readings":{"cursor":"b"}}`)
			p.next(`{"readings":{"cursor":null}}`)
			if code != 1006 {
				p.close(code, "")
			}
		}, func(p *peer) {
			asked = append(asked, p.accept().Payload.Variables)
			p.next(`{"readings":{"cursor":"c"}}`)
			p.say(`{"id":"1","type":"complete"}`)
			p.hear()
		})
		events, err := follow(t, c, resuming, 0)
		if err != nil {
			t.Fatalf("%d: %v", code, err)
		}
		var cursors []string
		for _, e := range events {
			cursors = append(cursors, e.Cursor)
			if e.Anew {
				t.Errorf("%d: %q begins anew", code, e.Cursor)
			}
		}
		if want := []string{"a", "b", "", "c"}; !slices.Equal(cursors, want) {
			t.Errorf("%d: got %q, want %q", code, cursors, want)
		}
		if want := map[string]any{"after": "b", "other": 1.0}; !maps.Equal(asked[0], resuming.Variables) || !maps.Equal(asked[1], want) {
			t.Errorf("%d: asked for %v, want %v the second time", code, asked, want)
		}
	}
}

func TestSubscriptionWithoutACursorBeginsAnew(t *testing.T) {
	t.Parallel()
	f := func(r client.Request, data string) {
		t.Helper()
		var asked []map[string]any
		c := serve(t, func(p *peer) {
			asked = append(asked, p.accept().Payload.Variables)
			p.next(data)
			p.next(data)
		}, func(p *peer) { // is lost before it can say anything
		}, func(p *peer) {
			asked = append(asked, p.accept().Payload.Variables)
			p.next(data)
			p.next(data)
			p.hear()
		})
		events, err := follow(t, c, r, 4)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range events {
			if e.Anew != (i == 2) {
				t.Errorf("%s: event %d has Anew %t", data, i, e.Anew)
			}
		}
		if !maps.Equal(asked[0], r.Variables) || !maps.Equal(asked[1], r.Variables) {
			t.Errorf("asked for %v", asked)
		}
	}
	f(resuming, `{"readings":{"cursor":null}}`)
	f(client.Request{Query: `subscription { statistics { count } }`}, `{"statistics":[{"count":1}]}`)
	f(client.Request{Query: `subscription { readings(series: {}) { cursor } }`}, `{"readings":{"cursor":"a"}}`)
}

func TestFinalErrorsEndASubscription(t *testing.T) {
	t.Parallel()
	f := func(c *client.Client, want string) {
		t.Helper()
		retried := false
		c.OnRetry = func(error, time.Duration) { retried = true }
		events, err := follow(t, c, resuming, 0)
		if err == nil || err.Error() != want || !client.Final(err) || len(events) > 0 || retried {
			t.Errorf("got %d events and %v, want %s", len(events), err, want)
		}
	}
	for _, code := range []int{1002, 1009, 4400, 4401, 4403, 4406, 4409, 4429} {
		f(serve(t, func(p *peer) { p.accept(); p.close(code, "why") }), fmt.Sprintf("the connection was closed: %d why", code))
	}
	f(serve(t, func(p *peer) {
		p.accept()
		p.say(`{"id":"1","type":"error","payload":[{"message":"no","extensions":{"code":"FORBIDDEN"}},{"message":"nor this"}]}`)
		p.hear()
	}), "FORBIDDEN: no (and 1 more)")
	f(answer(t, client.Key("rd_prj_x"), func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"errors":[{"message":"another origin"}]}`))
	}), "the server answered 403 Forbidden: another origin")
}

func TestSubscriptionWaitsAsLongAsItIsTold(t *testing.T) {
	t.Parallel()
	f := func(c *client.Client, want time.Duration) {
		t.Helper()
		ctx, cancel := context.WithCancel(within(t))
		c.OnRetry = func(err error, wait time.Duration) {
			if wait != want {
				t.Errorf("after %v it waits for %v, want %v", err, wait, want)
			}
			cancel()
		}
		for _, err := range c.Subscribe(ctx, resuming) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
	}
	f(answer(t, client.Key("rd_prj_x"), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	}), 7*time.Second)
	f(serve(t, func(p *peer) {
		p.accept()
		p.say(`{"id":"1","type":"error","payload":[{"message":"later","extensions":{"code":"TOO_MANY_REQUESTS","retryAfter":2.5}}]}`)
		p.hear()
	}), 2500*time.Millisecond)
}

func TestWaitsGrowUntilAnEventComes(t *testing.T) {
	t.Parallel()
	lost := func(p *peer) { p.accept() }
	event := func(p *peer) { p.accept(); p.next(`{"readings":{"cursor":"a"}}`) }
	end := func(p *peer) { p.accept(); p.say(`{"id":"1","type":"complete"}`); p.hear() }
	c := serve(t, lost, lost, event, lost, end)
	var failures []int
	c.Backoff = func(n int) time.Duration { failures = append(failures, n); return 0 }
	if _, err := follow(t, c, resuming, 0); err != nil {
		t.Fatal(err)
	}
	if want := []int{1, 2, 1, 2}; !slices.Equal(failures, want) {
		t.Errorf("got %v, want %v", failures, want)
	}
}

func TestSilentServerIsLeft(t *testing.T) {
	t.Parallel()
	c := serve(t, func(p *peer) {
		p.accept()
		p.hear() // until the client leaves
	}, func(p *peer) {
		p.accept()
		p.next(`{"readings":{"cursor":"a"}}`)
		p.hear()
	})
	c.Silence = 50 * time.Millisecond
	if events, err := follow(t, c, resuming, 1); err != nil || events[0].Cursor != "a" {
		t.Errorf("got %v, %v", events, err)
	}
}

func TestPingsOfBothKindsAreAnswered(t *testing.T) {
	t.Parallel()
	c := serve(t, func(p *peer) {
		p.accept()
		p.say(`{"type":"ping","payload":{"n":1}}`)
		if m := p.hear(); m.Type != "pong" {
			t.Errorf("a ping is answered by %+v", m)
		}
		ponged := false
		p.SetPongHandler(func(string) error { ponged = true; p.next(`{"x":1}`); return nil })
		_ = p.WriteControl(9, []byte("?"), time.Now().Add(time.Second))
		if p.hear(); !ponged {
			t.Error("no pong came")
		}
	})
	if _, err := follow(t, c, resuming, 1); err != nil {
		t.Error(err)
	}
}

func TestSubscriptionEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	c := serve(t, func(p *peer) {
		p.accept()
		p.next(`{"x":1}`)
		p.hear()
		close(left)
	})
	if events, err := follow(t, c, resuming, 1); err != nil || string(events[0].Data) != `{"x":1}` {
		t.Errorf("got %v, %v", events, err)
	}
	<-left
}

func TestCallerMayLeaveAfterItsContextHasEnded(t *testing.T) {
	t.Parallel()
	c := serve(t, func(p *peer) { p.accept(); p.next(`{"x":1}`); p.hear() })
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	for _, err := range c.Subscribe(ctx, resuming) {
		if err != nil {
			t.Error(err)
		}
		cancel()
		break
	}
}

func TestRequestThatCannotBeWrittenEndsASubscription(t *testing.T) {
	t.Parallel()
	c := serve(t, func(p *peer) { p.hear() })
	r := client.Request{Query: "subscription { x }", Variables: map[string]any{"x": make(chan int)}}
	if _, err := follow(t, c, r, 0); err == nil || !strings.HasPrefix(err.Error(), "write the request: ") {
		t.Errorf("got %v", err)
	}
}

func TestSubscriptionEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f := func(how string, play func(p *peer, cancel func())) {
		t.Helper()
		ctx, cancel := context.WithCancel(within(t))
		c := serve(t, func(p *peer) { play(p, cancel) })
		c.Backoff = func(int) time.Duration { return time.Hour }
		ended := 0
		for _, err := range c.Subscribe(ctx, resuming) {
			if ended++; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v", how, err)
			}
		}
		if ended != 1 {
			t.Errorf("%s: got %d results", how, ended)
		}
	}
	f("before it is accepted", func(p *peer, cancel func()) { p.hear(); cancel(); p.hear() })
	f("while it listens", func(p *peer, cancel func()) { p.accept(); cancel(); p.hear() })
	f("while it waits", func(p *peer, cancel func()) { p.accept(); time.AfterFunc(20*time.Millisecond, cancel) })
}

func TestEventsHaveAllThatWasSent(t *testing.T) {
	t.Parallel()
	c := serve(t, func(p *peer) {
		p.accept()
		p.say(`{"id":"1","type":"next","payload":{"data":{"live":null},"errors":[{"message":"m","path":["live"]}],"extensions":{"timing":{}},"revision":1}}`)
		p.say(`{"id":"1","type":"next","payload":{"patch":[],"revision":2}}`)
		p.hear()
	})
	events, err := follow(t, c, client.Request{Query: `subscription { live { me { id } } }`}, 2)
	if err != nil {
		t.Fatal(err)
	}
	first, second := events[0], events[1]
	if string(first.Data) != `{"live":null}` || first.Errors[0].Message != "m" || string(first.Extensions) != `{"timing":{}}` || first.Revision != 1 {
		t.Errorf("got %+v", first)
	}
	if string(second.Patch) != `[]` || second.Revision != 2 || second.Data != nil {
		t.Errorf("got %+v", second)
	}
}
