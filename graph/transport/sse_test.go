package transport_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

func TestEventsTellOfResultsAndThenOfTheEnd(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		f := func(query string, want ...string) {
			t.Helper()
			for i, w := range want {
				want[i] = "event: next data: " + w
			}
			want = append(want, completed)
			e := l.listen("POST", "/", `{"query":"`+query+`"}`)
			e.expect(want...)
			e.expectEnd()
			if strings.HasPrefix(query, "mutation") {
				return
			}
			e = l.listen("GET", "/?query="+url.QueryEscape(query), "")
			e.expect(want...)
			e.expectEnd()
		}
		f(`{hello}`, `{"data":{"hello":"world"}}`)
		f(`mutation{add(by:2)}`, `{"data":{"add":2}}`)
		f(`{fails}`, `{"errors":[{"message":"it failed"}],"data":{"fails":null}}`)
		f(`{panics}`, `{"errors":[{"message":"something went wrong here; the request id leads to the log line","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`)
		f(`{forbidden}`, `{"errors":[{"message":"forbidden: not yours"}],"data":null}`)
		f(`query Late{hello}`, `{"errors":[{"message":"the time for this operation is over","extensions":{"code":"UNAVAILABLE"}}]}`)
		f(`{`, `{"errors":[{"message":"Expected Name, found \u003cEOF\u003e","locations":[{"line":1,"column":2}],"extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}`)
		f(`subscription{count(to:3)}`, `{"data":{"count":1}}`, `{"data":{"count":2}}`, `{"data":{"count":3}}`)
		f(`subscription{refused}`, `{"errors":[{"message":"forbidden: not yours"}]}`)
		f(`subscription{gives}`, `{"data":{"gives":1}}`, `{"errors":[{"message":"too slow","extensions":{"code":"TOO_MANY_REQUESTS"}}]}`)
		f(`subscription{panics}`, `{"errors":[{"message":"something went wrong here; the request id leads to the log line","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`)
	})
}

func TestRequestForEventsThatIsNotWellFormedIsRefused(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		f := func(status int, method, path, body string, header ...string) {
			t.Helper()
			got := l.ask(method, path, body, append([]string{"Accept", asEvents}, header...)...)
			if got.status != status || !strings.HasPrefix(got.body, `{"errors":[`) || got.header.Get("Content-Type") != mediaJSON+"; charset=utf-8" {
				t.Errorf("%s %s %s: want %d, got %+v", method, path, body, status, got)
			}
		}
		f(400, "POST", "/", `{`)
		f(400, "POST", "/", `{}`)
		f(413, "POST", "/", `{"query":"`+strings.Repeat(" ", 2000)+`"}`)
		f(415, "POST", "/", `{"query":"{hello}"}`, "Content-Type", "text/plain")
		f(400, "GET", "/", "")
		f(405, "GET", "/?query=mutation%7Badd(by:1)%7D", "")
		f(403, "GET", "/?query=%7Bhello%7D", "", "Origin", "https://elsewhere.example")
		f(403, "GET", "/?query=%7Bhello%7D", "", "Origin", "null")
	})
}

func TestStreamIsNotKeptByAnybodyOnItsWay(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		e := l.listen("GET", "/?query=%7Bhello%7D", "", "Origin", l.url)
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept", "X-Content-Type-Options": "nosniff",
		} {
			if got := e.Header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
	})
}

func TestClientThatTakesJSONAsWillinglyGetsStreamsForSubscriptionsAlone(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		f := func(accept, query, want string) {
			t.Helper()
			got := l.ask("POST", "/", `{"query":"`+query+`"}`, "Accept", accept).header.Get("Content-Type")
			if got != want {
				t.Errorf("%s for %s: want %s, got %s", query, accept, want, got)
			}
		}
		const (
			events   = "text/event-stream; charset=utf-8"
			parts    = `multipart/mixed;boundary="graphql";subscriptionSpec=1.0`
			plain    = "application/json; charset=utf-8"
			graphQL  = "application/graphql-response+json; charset=utf-8"
			count    = "subscription{count(to:1)}"
			anything = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"
			apollo   = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
		)
		f(anything, "{hello}", graphQL)
		f(anything, "{", graphQL)
		f(anything, count, events)
		f(apollo, "{hello}", plain)
		f(apollo, "{", plain)
		f(apollo, count, parts)
		f("text/event-stream, */*;q=0.1", "{hello}", events)
		f("text/event-stream;q=0, "+apollo, count, parts)
		f("text/event-stream, "+apollo, count, events)
		f(`multipart/mixed; subscriptionSpec="1.0"`, "{hello}", parts)
		f("multipart/mixed;deferSpec=20220824, application/json", "{hello}", plain)
		f("*/*", "{hello}", plain)
		f("*/*", count, plain)
	})
}

func TestStreamGoesOnAfterLastEventID(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		l.publish(3)
		e := l.subscribe("")
		l.publish(5)
		e.expect(number(4), number(5))
		e.Body.Close()
		l.publish(7)
		e = l.subscribe("n5")
		l.publish(8)
		e.expect(number(6), number(7), number(8))
		l.listen("GET", "/?query=subscription%7Bnumbers%7D", "", "Last-Event-ID", "n99").expect(
			`event: next data: {"errors":[{"message":"invalid: no such cursor"}]}`, completed)
	})
}

func TestStreamThatLagsGetsEverythingOnce(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		slow, quick := l.subscribe(""), l.subscribe("")
		for n := int64(1); n <= 1000; n++ {
			l.publish(n)
			quick.expect(number(n))
		}
		for n := int64(1); n <= 1000; n++ {
			slow.expect(number(n))
		}
		if _, overruns := l.subs.Counters(); overruns == 0 {
			t.Error("it did not lag")
		}
	})
}

func TestEqualSubscriptionsShareOneExecution(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		for range 10 {
			l.subscribe("")
		}
		if subscribers, feeds := l.subs.Counts(); subscribers != 10 || feeds != 1 {
			t.Errorf("%d subscribers, %d executions", subscribers, feeds)
		}
		if of := l.subs.Subscribers(7); len(of) != 10 || of[0].Kind != transport.OverSSE || of[0].Sharing != 10 {
			t.Errorf("got %+v", of)
		}
	})
}

func TestSilentStreamSaysThatItIsAlive(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		e, start := l.subscribe(""), time.Now()
		for i := range 20 { // beyond what the server gives a request and an answer
			e.expect(":")
			if got := time.Since(start).Round(time.Second); got != time.Duration(i+1)*12*time.Second {
				t.Fatalf("it took %v", got)
			}
		}
		time.Sleep(10 * time.Second)
		l.publish(1)
		e.expect(number(1))
		start = time.Now()
		e.expect(":")
		if got := time.Since(start).Round(time.Second); got != 12*time.Second {
			t.Errorf("after an event it took %v", got)
		}
	})
}

func TestClientThatReadsNothingIsCutAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		l.listen("GET", "/?query=subscription%7Bflood(bytes:100000)%7D", "") // and reads no more
		quick := l.subscribe("")
		time.Sleep(4 * time.Second)
		if open := l.streaming.Open(); open != 2 {
			t.Errorf("%d are open after 4 s", open)
		}
		l.publish(1)
		quick.expect(number(1))
		time.Sleep(2 * time.Second)
		if open := l.streaming.Open(); open != 1 {
			t.Errorf("%d are open after 6 s", open)
		}
	})
}

func TestSlowReaderIsNotCut(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		e := l.listen("GET", "/?query=subscription%7Bflood(bytes:1000000)%7D", "")
		got := make([]byte, 6<<10) // of 16 KiB that have 5 seconds
		for range 60 {
			time.Sleep(time.Second)
			if _, err := io.ReadFull(e.lines, got); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestStreamEndsWithTheClient(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		for _, query := range []string{"subscription{ticks}", "query{waits}"} {
			e := l.listen("GET", "/?query="+url.QueryEscape(query), "")
			<-l.began
			e.Body.Close()
			<-l.ended
		}
		synctest.Wait()
		if open := l.streaming.Open(); open != 0 {
			t.Errorf("%d are open", open)
		}
		if subscribers, feeds := l.subs.Counts(); subscribers+feeds != 0 {
			t.Errorf("%d subscribers, %d executions", subscribers, feeds)
		}
	})
}

func TestStreamEndsWithItsRights(t *testing.T) {
	t.Parallel()
	f := func(session func(context.Context) (context.Context, transport.Session), want string) {
		t.Helper()
		inLibrary(t, func(s *transport.Streaming) { s.Session = session }, func(l *library) {
			e, start := l.subscribe(""), time.Now()
			e.expect(want)
			e.expectCut() // the client comes again, if it may
			if got := time.Since(start).Round(time.Second); got != 7*time.Second {
				t.Errorf("it took %v", got)
			}
		})
	}
	f(func(ctx context.Context) (context.Context, transport.Session) {
		return ctx, transport.Session{Expires: time.Now().Add(7 * time.Second)}
	}, `event: next data: {"errors":[{"message":"the credential has expired","extensions":{"code":"UNAUTHENTICATED"}}]}`)
	f(func(ctx context.Context) (context.Context, transport.Session) {
		ctx, end := context.WithCancelCause(ctx)
		time.AfterFunc(7*time.Second, func() { end(fault.New(fault.Unauthenticated, "the key was revoked")) })
		return ctx, transport.Session{}
	}, `event: next data: {"errors":[{"message":"the key was revoked","extensions":{"code":"UNAUTHENTICATED"}}]}`)
}

func TestFaultThatConcernsMoreThanTheOperationBreaksTheStreamOff(t *testing.T) {
	t.Parallel()
	f := func(err error, want ...string) {
		t.Helper()
		inLibrary(t, nil, func(l *library) {
			e := l.subscribe("")
			l.fail(err)
			e.expect(want...)
			if len(want) > 0 && want[len(want)-1] == completed {
				e.expectEnd()
			} else {
				e.expectCut()
			}
		})
	}
	f(fault.New(fault.Lagging, "too slow"), `event: next data: {"errors":[{"message":"too slow","extensions":{"code":"LAGGING"}}]}`)
	f(fault.New(fault.Unauthenticated, "removed"), `event: next data: {"errors":[{"message":"removed","extensions":{"code":"UNAUTHENTICATED"}}]}`)
	f(fault.New(fault.Unavailable, "the database is away")) // the client comes again by itself
	f(fault.New(fault.Invalid, "wrong"), `event: next data: {"errors":[{"message":"wrong","extensions":{"code":"BAD_USER_INPUT"}}]}`, completed)
}

func TestRightsAreAskedBeforeEachEvent(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		e := l.subscribe("")
		l.publish(1)
		e.expect(number(1))
		l.forbid(fault.New(fault.Forbidden, "not any more"))
		l.publish(2)
		e.expect(`event: next data: {"errors":[{"message":"not any more","extensions":{"code":"FORBIDDEN"}}]}`, completed)
		l.subscribe("n0").expect(`event: next data: {"errors":[{"message":"not any more","extensions":{"code":"FORBIDDEN"}}]}`, completed)
	})
}

func TestKickedStreamIsToldWhy(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		e := l.subscribe("")
		if !l.subs.Kick(7, l.subs.Subscribers(7)[0].ID, fault.New(fault.Forbidden, "go away")) {
			t.Fatal("nobody was kicked")
		}
		e.expect(`event: next data: {"errors":[{"message":"go away","extensions":{"code":"FORBIDDEN"}}]}`, completed)
		e.expectEnd()
	})
}

func TestShutdownEndsStreamsAndRefusesFurtherOnes(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		shared := l.subscribe("")
		alone := l.listen("GET", "/?query=%7Bwaits%7D", "")
		l.ask("PUT", "/", "")
		<-l.began
		start := time.Now()
		l.shutdown()
		if took := time.Since(start); took > 0 {
			t.Errorf("it took %v", took)
		}
		shared.expectCut()
		alone.expectCut()
		if open := l.streaming.Open(); open != 0 {
			t.Errorf("%d are open", open)
		}
		for _, method := range []string{"GET", "PUT"} {
			got := l.ask(method, "/?query=%7Bhello%7D", "", "Accept", asEvents)
			if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
				t.Errorf("%s: got %+v", method, got)
			}
		}
	})
}

func TestShutdownWaitsForAStalledClientNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		l.listen("GET", "/?query=subscription%7Bflood(bytes:100000)%7D", "") // and reads no more
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := l.streaming.Shutdown(ctx); err == nil {
			t.Error("it ended")
		}
		time.Sleep(5 * time.Second)
		if open := l.streaming.Open(); open != 0 {
			t.Errorf("%d are open", open)
		}
	})
}

func TestSoManyStreamsAndReservationsAreOpenTogether(t *testing.T) {
	t.Parallel()
	inLibrary(t, func(s *transport.Streaming) { s.MaxStreams = 2 }, func(l *library) {
		e := l.subscribe("")
		l.ask("PUT", "/", "")
		for _, method := range []string{"GET", "PUT"} {
			if got := l.ask(method, "/?query=%7Bhello%7D", "", "Accept", asEvents); got.status != http.StatusServiceUnavailable {
				t.Errorf("%s: got %+v", method, got)
			}
		}
		e.Body.Close()
		synctest.Wait()
		l.listen("GET", "/?query=%7Bhello%7D", "")
	})
}
