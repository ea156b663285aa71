package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

const internal = `[{"message":"something went wrong here; the request id leads to the log line","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]`

// failure is the error message of an operation.
func failure(id, message, code string) string {
	return fmt.Sprintf(`{"id":"%s","type":"error","payload":[{"message":"%s","extensions":{"code":"%s"}}]}`, id, message, code)
}

// gone fails the test unless nobody is subscribed and nothing is executed soon.
func (w *world) gone(t *testing.T, j *journal) {
	t.Helper()
	for start := time.Now(); ; {
		subscribers, feeds := w.subs.Counts()
		_, running := j.counts("")
		if subscribers == 0 && feeds == 0 && running == 0 {
			return
		}
		if time.Since(start) > patience {
			t.Fatalf("%d subscribers, %d feeds and %d executions stay", subscribers, feeds, running)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestCheckThatFailsEndsOnlyThatSubscriber(t *testing.T) {
	t.Parallel()
	f := func(err error, closes int) {
		t.Helper()
		w := setup(t)
		j := newJournal()
		j.first = greets
		w.entries = j.stream
		var revoked atomic.Bool
		checks := make(chan func() error, 2)
		checks <- func() error {
			if revoked.Load() {
				return err
			}
			return nil
		}
		checks <- func() error { return nil }
		w.plan = func(context.Context, map[string]any) (transport.Plan, error) {
			return transport.Plan{Share: "x", Check: <-checks}, nil
		}
		var clients []*client
		for range 2 {
			c := w.join(t)
			c.send(entriesOf, "1", "a")
			c.expect(fmt.Sprintf(entry, "1", 0))
			clients = append(clients, c)
		}
		revoked.Store(true)
		j.publish("a", 2)
		if closes > 0 {
			clients[0].expectClose(closes, "no more")
		} else {
			clients[0].expect(failure("1", "no more", "FORBIDDEN"))
			clients[0].expectNothing()
		}
		for i := range 2 {
			clients[1].expect(fmt.Sprintf(entry, "1", i+1))
		}
	}
	f(fault.New(fault.Forbidden, "no more"), 0)
	f(fault.New(fault.Unauthenticated, "no more"), 4403)
}

func TestCheckIsAskedBeforeWhatOnlyOneGetsToo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	plan := resumes
	allowed := 2
	plan.Check = func() error {
		if allowed--; allowed < 0 {
			return fault.New(fault.Forbidden, "no more")
		}
		return nil
	}
	j := newJournal().in(w, plan)
	j.publish("a", 5)
	c := w.join(t)
	c.send(entriesFrom, "1", "a", 0)
	c.expect(fmt.Sprintf(entry, "1", 1))
	c.expect(fmt.Sprintf(entry, "1", 2))
	c.expect(failure("1", "no more", "FORBIDDEN"))
	c.expectNothing()
	w.gone(t, j)
}

func TestFailureReachesEverybodyOnceAfterWhatCameBefore(t *testing.T) {
	t.Parallel()
	f := func(err error, closes int, message string) {
		t.Helper()
		for _, plan := range []transport.Plan{{Share: "x"}, resumes} {
			w := setup(t)
			j := newJournal().in(w, plan)
			var clients []*client
			for range 3 {
				c := w.join(t)
				c.send(entriesOf, "1", "a")
				clients = append(clients, c)
			}
			w.shared(t, 3)
			j.publish("a", 2)
			j.fail(err)
			for _, c := range clients {
				c.expect(fmt.Sprintf(entry, "1", 1))
				c.expect(fmt.Sprintf(entry, "1", 2))
				if closes > 0 {
					c.expectClose(closes, message) // and no complete before it
					continue
				}
				c.expect(message)
				c.expectNothing()
			}
			w.gone(t, j)
		}
	}
	f(fault.New(fault.Unauthenticated, "who are you"), 4403, "who are you")
	f(fault.New(fault.Unavailable, "the database is away"), 1012, "the database is away")
	f(fault.New(fault.Lagging, "too slow"), 4410, "too slow")
	f(fault.Wrap(errors.New("secret"), fault.NotFound, "no such cursor"), 0, failure("1", "no such cursor", "NOT_FOUND"))
	f(errors.New("secret"), 0, `{"id":"1","type":"error","payload":`+internal+`}`)
	f(io.EOF, 0, fmt.Sprintf(complete, "1"))
}

// shared waits until n subscribers listen to what they share.
func (w *world) shared(t *testing.T, n int) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		listening := 0
		for _, s := range w.subs.Subscribers(0) {
			if s.Sharing == n {
				listening++
			}
		}
		if listening == n {
			return
		}
		if time.Since(start) > patience {
			t.Fatalf("%d of %d listen", listening, n)
		}
	}
}

func TestFailureOfAPartOfItsOwnEndsOnlyThatSubscriber(t *testing.T) {
	t.Parallel()
	f := func(err error, closes int, message string) {
		t.Helper()
		w := setup(t)
		j := newJournal().in(w, resumes)
		var broken atomic.Bool
		j.next = func(_ context.Context, p transport.Part) error {
			if p.Shared || !broken.Load() {
				return nil
			}
			return err
		}
		other, c := w.join(t), w.join(t)
		other.send(entriesOf, "1", "a")
		w.shared(t, 1)
		broken.Store(true)
		c.send(entriesFrom, "1", "a", 0)
		if closes > 0 {
			c.expectClose(closes, message)
		} else {
			c.expect(message)
			c.expectNothing()
		}
		j.publish("a", 1)
		other.expect(fmt.Sprintf(entry, "1", 1))
	}
	f(fault.New(fault.Unavailable, "the database is away"), 1012, "the database is away")
	f(fault.New(fault.NotFound, "no such cursor"), 0, failure("1", "no such cursor", "NOT_FOUND"))
}

func TestRefusalOfAnExecutionReachesAllWhoWaitForIt(t *testing.T) {
	t.Parallel()
	f := func(set func(*journal, error), err error, closes int, message string) {
		t.Helper()
		w := setup(t)
		j := newJournal().in(w, transport.Plan{Share: "x"})
		gate := make(chan struct{})
		j.first = greets
		j.open = func(context.Context, transport.Part) error { <-gate; return nil }
		set(j, err)
		var clients []*client
		for range 3 {
			c := w.join(t)
			c.send(entriesOf, "1", "a")
			clients = append(clients, c)
		}
		w.subscribed(t, 3)
		close(gate)
		for _, c := range clients {
			if closes > 0 {
				c.expectClose(closes, message)
				continue
			}
			c.expect(message)
			c.expectNothing()
		}
		w.gone(t, j)
	}
	open := func(j *journal, err error) {
		wait := j.open
		j.open = func(ctx context.Context, p transport.Part) error { _ = wait(ctx, p); return err }
	}
	first := func(j *journal, err error) {
		j.first = func(context.Context, bool) error {
			if err == nil {
				panic("secret")
			}
			return err
		}
	}
	next := func(j *journal, _ error) {
		j.first = nil
		j.next = func(context.Context, transport.Part) error { panic("secret") }
	}
	f(open, fault.New(fault.Forbidden, "not yours"), 0, `{"id":"1","type":"error","payload":[{"message":"forbidden: not yours"}]}`)
	f(first, fault.New(fault.Invalid, "no such unit"), 0, failure("1", "no such unit", "BAD_USER_INPUT"))
	f(first, fault.New(fault.Unavailable, "the database is away"), 1012, "the database is away")
	f(first, nil, 0, `{"id":"1","type":"error","payload":`+internal+`}`)
	f(next, nil, 0, `{"id":"1","type":"error","payload":`+internal+`}`)
}

// subscribed waits until there are n subscribers.
func (w *world) subscribed(t *testing.T, n int) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		subscribers, _ := w.subs.Counts()
		if subscribers == n {
			return
		}
		if time.Since(start) > patience {
			t.Fatalf("%d of %d subscribers", subscribers, n)
		}
	}
}

func TestFirstThatFailsIsTheNewcomersFailureUnlessItConcernsAll(t *testing.T) {
	t.Parallel()
	f := func(code fault.Code, shown string, all bool) {
		t.Helper()
		w := setup(t)
		j := newJournal().in(w, transport.Plan{Share: "x"})
		greeted := false
		j.first = func(context.Context, bool) error {
			if greeted {
				return fault.New(code, "broken")
			}
			greeted = true
			return nil
		}
		a, b := w.join(t), w.join(t)
		a.send(entriesOf, "1", "a")
		a.expect(fmt.Sprintf(entry, "1", 0))
		b.send(entriesOf, "1", "a")
		b.expect(failure("1", "broken", shown))
		b.expectNothing()
		if !all {
			j.publish("a", 1)
			a.expect(fmt.Sprintf(entry, "1", 1))
			return
		}
		a.expect(failure("1", "broken", shown))
		a.expectNothing()
		w.gone(t, j)
	}
	f(fault.NotFound, "NOT_FOUND", true)
	f(fault.TooMany, "TOO_MANY_REQUESTS", false)
}

func TestPanicWhileALaggardResumesEndsItAlone(t *testing.T) {
	t.Parallel()
	onSyntheticTime(t, patiently, func(w *world) {
		var resuming atomic.Bool
		j := newJournal().in(w, transport.Plan{Share: "x", Places: true, Check: func() error {
			if resuming.Load() {
				panic("secret of the check")
			}
			return nil
		}})
		j.open = func(_ context.Context, p transport.Part) error { resuming.Store(p.Behind); return nil }
		c := w.join(w.t)
		c.send(entriesOf, "1", "a")
		synctest.Wait()
		j.publish("a", 1000) // while the client reads nothing
		synctest.Wait()
		for {
			text, err := c.read()
			if err != nil {
				w.t.Fatal(err)
			}
			if strings.Contains(text, `"type":"error"`) {
				break
			}
		}
		c.send(`{"type":"ping"}`)
		c.expect(`{"type":"pong"}`)
	})
}

// TestClientMayCompleteAtAnyMoment has an operation held up in each phase of its life, until its client completes it.
func TestClientMayCompleteAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := setup(t)
	phases := map[string]func(j *journal, hold func(context.Context) error){
		"plan": func(_ *journal, hold func(context.Context) error) {
			w.plan = func(ctx context.Context, _ map[string]any) (transport.Plan, error) { return resumes, hold(ctx) }
		},
		"open its own": func(j *journal, hold func(context.Context) error) {
			j.open = func(ctx context.Context, _ transport.Part) error { return hold(ctx) }
		},
		"read its own": func(j *journal, hold func(context.Context) error) {
			j.next = func(ctx context.Context, _ transport.Part) error { return hold(ctx) }
		},
		"open what is shared": func(j *journal, hold func(context.Context) error) {
			j.open = func(ctx context.Context, p transport.Part) error {
				if p.Shared {
					return hold(ctx)
				}
				return nil
			}
		},
		"greet": func(j *journal, hold func(context.Context) error) {
			j.in(w, transport.Plan{Share: "x"})
			j.first = func(ctx context.Context, _ bool) error { return hold(ctx) }
		},
		"come early": func(j *journal, hold func(context.Context) error) {
			j.commit("", 1) // which nobody is told
			j.next = func(ctx context.Context, p transport.Part) error {
				if p.Shared {
					return hold(ctx)
				}
				return nil
			}
		},
		"listen": func(j *journal, hold func(context.Context) error) {
			j.in(w, transport.Plan{Share: "x"})
			j.next = func(ctx context.Context, _ transport.Part) error { return hold(ctx) }
		},
	}
	c := w.join(t)
	for name, set := range phases {
		j := newJournal().in(w, resumes)
		held := make(chan struct{}, 100)
		set(j, func(ctx context.Context) error {
			signal(held)
			<-ctx.Done()
			return ctx.Err()
		})
		c.send(entriesFrom, "1", "", 0)
		wait(t, held, name)
		c.send(complete, "1")
		if name == "come early" { // it has had its own
			c.expect(fmt.Sprintf(entry, "1", 1))
		}
		c.expectNothing()
		w.gone(t, j)
		c.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{count(to:1)}"}}`) // the id is free again
		c.expect(`{"id":"1","type":"next","payload":{"data":{"count":1}}}`)
		c.expect(fmt.Sprintf(complete, "1"))
	}
}

func TestClientMayCompleteWhatItHasNotReadYet(t *testing.T) {
	t.Parallel()
	onSyntheticTime(t, patiently, func(w *world) {
		for _, n := range []int{10, 1000} { // of the second it has missed some
			j := newJournal().in(w, resumes)
			c := w.join(w.t)
			c.send(entriesOf, "1", "")
			synctest.Wait()
			j.publish("", n)
			synctest.Wait()
			c.send(complete, "1")
			synctest.Wait()
			w.gone(w.t, j)
			c.send(`{"type":"ping"}`)
			for i := 1; ; i++ { // what was on its way
				got, err := c.read()
				if err != nil {
					w.t.Fatal(err)
				}
				if strings.Contains(got, "pong") {
					break
				}
				if want := fmt.Sprintf(entry, "1", i); got != want {
					w.t.Fatalf("want %s, got %s", want, got)
				}
			}
		}
	})
}

func TestPlanIsLetGoOnceHoweverTheSubscriptionEnds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	closed := make(chan struct{}, 10)
	plan := resumes
	plan.Close = func() { closed <- struct{}{} }
	ends := map[string]func(c *client, j *journal){
		"by the client":   func(c *client, _ *journal) { c.send(complete, "1") },
		"by its end":      func(_ *client, j *journal) { j.fail(io.EOF) },
		"by a failure":    func(_ *client, j *journal) { j.fail(errors.New("secret")) },
		"by a hang-up":    func(c *client, _ *journal) { c.Close() },
		"by being kicked": func(*client, *journal) { w.subs.Kick(0, w.subs.Subscribers(0)[0].ID, errors.New("secret")) },
	}
	for name, end := range ends {
		j := newJournal().in(w, plan)
		c := w.join(t)
		c.send(entriesOf, "1", "")
		w.shared(t, 1)
		end(c, j)
		wait(t, closed, name)
		w.gone(t, j)
	}
	w.shutdown(t)
	if len(closed) > 0 {
		t.Error("a plan was closed twice")
	}
}

func TestSubscribersAreListedAndKicked(t *testing.T) {
	t.Parallel()
	w := setup(t)
	plan := resumes
	plan.Project, plan.Field = 7, "entries"
	j := newJournal().in(w, plan)
	c := w.join(t)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription Mine{entries(of:\"\")}"}}`)
	c.send(`{"id":"2","type":"subscribe","payload":{"query":"subscription Mine{entries(of:\"\")}"}}`)
	w.subscribed(t, 2)
	until := func(done func(transport.Subscriber) bool) (list []transport.Subscriber) {
		for n := 0; n < 2; time.Sleep(time.Millisecond) {
			list, n = w.subs.Subscribers(7), 0
			for _, s := range list {
				if done(s) {
					n++
				}
			}
		}
		return list
	}
	until(func(s transport.Subscriber) bool { return s.Sharing == 2 })
	j.publish("", 3)
	for range 6 {
		if _, err := c.read(); err != nil {
			t.Fatal(err)
		}
	}
	list := until(func(s transport.Subscriber) bool { return s.Sent == 3 })
	if len(w.subs.Subscribers(8)) > 0 || len(list) != 2 || list[0].ID >= list[1].ID {
		t.Fatalf("%+v", list)
	}
	for _, s := range list {
		if s.Project != 7 || s.Field != "entries" || s.OperationName != "Mine" || s.Kind != transport.OverWebSocket || s.Context == nil ||
			s.Sharing != 2 || s.Behind != 0 || time.Since(s.Since) > time.Hour {
			t.Errorf("%+v", s)
		}
	}
	why := fault.New(fault.Forbidden, "out with you")
	if w.subs.Kick(8, list[0].ID, why) || w.subs.Kick(7, -1, why) {
		t.Error("one of another project was kicked, or nobody")
	}
	if !w.subs.Kick(7, list[0].ID, why) {
		t.Error("nobody was kicked")
	}
	kicked, err := c.read()
	if err != nil || !strings.HasSuffix(kicked, failure("", "out with you", "FORBIDDEN")[len(`{"id":"`):]) {
		t.Error(kicked, err)
	}
	c.expectNothing()
	if left := w.subs.Subscribers(7); len(left) != 1 || left[0].ID != list[1].ID {
		t.Errorf("%+v", left)
	}
	w.subs.Kick(7, list[1].ID, fault.New(fault.Unauthenticated, "out with you"))
	c.expectClose(4403, "out with you")
	w.gone(t, j)
}

func TestWhoIsKickedGetsNothingAfterIt(t *testing.T) {
	t.Parallel()
	f := func(phase string, set func(w *world) *journal) {
		t.Helper()
		onSyntheticTime(t, patiently, func(w *world) {
			j := set(w)
			c := w.join(w.t) // and reads nothing
			c.send(entriesOf, "1", "")
			synctest.Wait()
			j.publish("", 1000)
			synctest.Wait()
			w.subs.Kick(0, w.subs.Subscribers(0)[0].ID, fault.New(fault.Forbidden, "out with you"))
			for {
				got, err := c.read()
				if err != nil {
					w.t.Fatal(phase, err)
				}
				if strings.Contains(got, `"error"`) {
					break
				}
			}
			synctest.Wait()
			c.expectNothing()
			w.gone(w.t, j)
		})
	}
	f("while he listens", func(w *world) *journal { return newJournal().in(w, resumes) })
	f("before he listens", func(w *world) *journal {
		j := newJournal().in(w, resumes)
		j.publish("", 100)
		return j
	})
}
