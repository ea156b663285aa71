package transport_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/graph/transport"
)

const entriesFrom = `{"id":"%s","type":"subscribe","payload":{"query":"subscription($n:Int){entries(of:\"%s\",from:$n)}","variables":{"n":%d}}}`

// resumes is the plan of a subscription that begins with what is behind `from`.
var resumes = transport.Plan{Share: "x", Begins: []string{"from"}, Alone: true, Places: true}

// patiently has nobody cut, however slowly he reads.
func patiently(ws *transport.WebSocket) { ws.Stall, ws.Ping = 24*time.Hour, -1 }

// TestEverybodyGetsEachEntryOnceWhereverHeBeginsAndHoweverHeReads compares what clients get with the journal: clients that begin
// anywhere in it while entries are committed and told, read or do not, are left behind, and leave.
func TestEverybodyGetsEachEntryOnceWhereverHeBeginsAndHoweverHeReads(t *testing.T) {
	t.Parallel()
	onSyntheticTime(t, patiently, func(w *world) {
		j := newJournal().in(w, resumes)
		checks := 0
		rapid.Check(struct{ testing.TB }{w.t}, func(t *rapid.T) {
			checks++
			m := &charts{T: t, world: w, journal: j, topic: fmt.Sprint("topic ", checks)}
			defer m.leave()
			t.Repeat(rapid.StateMachineActions(m))
			m.settle()
		})
		if _, overruns := w.subs.Counters(); overruns == 0 {
			w.t.Error("nobody was left behind")
		}
	})
}

// charts are the clients of one check.
type charts struct {
	*rapid.T
	*world
	journal *journal
	topic   string
	all     []*chart
}

func (m *charts) Commit(t *rapid.T) { m.journal.commit(m.topic, rapid.IntRange(1, 5).Draw(t, "n")) }
func (m *charts) Other(t *rapid.T)  { m.journal.commit("other", rapid.IntRange(1, 3).Draw(t, "n")) }
func (m *charts) Tell(*rapid.T)     { m.journal.tell() }
func (m *charts) Time(*rapid.T)     { time.Sleep(10 * time.Millisecond) }

// Burst commits more than a feed keeps, now and then.
func (m *charts) Burst(t *rapid.T) {
	if rapid.IntRange(0, 4).Draw(t, "rare") == 0 {
		m.journal.publish(m.topic, 300)
	}
}

func (m *charts) Join(t *rapid.T) {
	if len(m.all) >= 5 {
		t.Skip("enough")
	}
	from := max(0, m.journal.now()-rapid.Int64Range(0, 10).Draw(t, "back"))
	m.all = append(m.all, m.read(m.world, m.topic, from))
}

func (m *charts) Pause(t *rapid.T)  { m.some(t).pause() }
func (m *charts) Resume(t *rapid.T) { m.some(t).resume() }

func (m *charts) Leave(t *rapid.T) {
	r := m.some(t)
	r.leave()
	m.all = slices.DeleteFunc(m.all, func(other *chart) bool { return other == r })
}

func (m *charts) some(t *rapid.T) *chart {
	if len(m.all) == 0 {
		t.Skip("nobody reads")
	}
	return rapid.SampledFrom(m.all).Draw(t, "chart")
}

// Check is called after each action: nobody has got anything but the next entries.
func (m *charts) Check(t *rapid.T) {
	synctest.Wait()
	for _, r := range m.all {
		got, want := r.gotten(), m.journal.behind(m.topic, r.from)
		if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
			t.Fatalf("from %d: want %v, got %v", r.from, want, got)
		}
	}
}

// settle has everybody read everything.
func (m *charts) settle() {
	m.journal.tell()
	for _, r := range m.all {
		r.resume()
	}
	time.Sleep(10 * time.Millisecond) // for those who were early
	m.Check(m.T)
	for _, r := range m.all {
		if got, want := len(r.gotten()), len(m.journal.behind(m.topic, r.from)); got != want {
			m.Fatalf("from %d: want %d entries, got %d", r.from, want, got)
		}
	}
}

func (m *charts) leave() {
	for _, r := range m.all {
		r.leave()
	}
	synctest.Wait()
	if subscribers, feeds := m.subs.Counts(); subscribers != 0 || feeds != 0 {
		m.Errorf("%d subscribers and %d feeds stay", subscribers, feeds)
	}
	if _, running := m.journal.counts(m.topic); running != 0 {
		m.Errorf("%d executions stay", running)
	}
}

// chart is a client that reads all it gets while it is not paused.
type chart struct {
	*client
	from int64
	gate atomic.Pointer[chan struct{}] // closed: it reads
	done chan struct{}

	mu  sync.Mutex
	got []int64
}

func (m *charts) read(w *world, topic string, from int64) *chart {
	r := &chart{client: w.join(w.t), from: from, done: make(chan struct{})}
	open := make(chan struct{})
	close(open)
	r.gate.Store(&open)
	r.send(entriesFrom, "1", topic, from)
	go r.run()
	return r
}

func (r *chart) run() {
	defer close(r.done)
	for {
		<-*r.gate.Load()
		text, err := r.client.read()
		if err != nil {
			return
		}
		var m struct {
			Payload struct{ Data struct{ Entries int64 } }
		}
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			m.Payload.Data.Entries = -1
		}
		r.mu.Lock()
		r.got = append(r.got, m.Payload.Data.Entries)
		r.mu.Unlock()
	}
}

func (r *chart) gotten() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *chart) pause() {
	select {
	case <-*r.gate.Load():
		shut := make(chan struct{})
		r.gate.Store(&shut)
	default:
	}
}

func (r *chart) resume() {
	select {
	case <-*r.gate.Load():
	default:
		close(*r.gate.Load())
	}
}

func (r *chart) leave() {
	r.Close()
	r.resume()
	<-r.done
}

// TestNothingIsMissedOrRepeatedWhileEntriesFlow is the same in real time, for the race detector: clients come at any moment.
func TestNothingIsMissedOrRepeatedWhileEntriesFlow(t *testing.T) {
	t.Parallel()
	const clients, n = 40, 2000
	w := setup(t)
	j := newJournal().in(w, resumes)
	var crowd sync.WaitGroup
	begin := map[int64][]func(){} // at which offset who begins
	for range clients {
		from, at, c := rand.Int64N(n-1), 1+rand.Int64N(n), w.join(t)
		begin[at] = append(begin[at], func() {
			c.send(entriesFrom, "1", "a", from)
			for want := from + 1; want <= n; want++ {
				got, err := c.read()
				if text := fmt.Sprintf(entry, "1", want); err != nil || got != text {
					t.Errorf("from %d: want %s, got %s %v", from, text, got, err)
					return
				}
			}
		})
	}
	for offset := range int64(n) {
		j.commit("a", 1)
		if rand.N(3) == 0 {
			j.tell()
		}
		for _, f := range begin[offset+1] {
			crowd.Go(f)
		}
	}
	j.tell()
	crowd.Wait()
}

func TestWhoLagsWithoutPlacesBeginsAnew(t *testing.T) {
	t.Parallel()
	onSyntheticTime(t, patiently, func(w *world) {
		j := newJournal().in(w, transport.Plan{Share: "x"})
		again := make(chan bool, 10)
		j.first = func(_ context.Context, a bool) error { again <- a; return nil }
		c := w.join(w.t)
		c.send(entriesOf, "1", "a")
		c.expect(fmt.Sprintf(entry, "1", 0))
		j.publish("a", 1)
		c.expect(fmt.Sprintf(entry, "1", 1))
		synctest.Wait()
		j.publish("a", 1000) // while the client reads nothing
		synctest.Wait()
		last := 1
		for last > 0 { // what was on its way
			text, err := c.read()
			if err != nil {
				w.t.Fatal(err)
			}
			last = next(w.t, text, last)
		}
		if <-again || !<-again || last != -1001 {
			w.t.Errorf("it began anew at %d", last)
		}
		if opened, _ := j.counts("a"); opened != 1 {
			w.t.Errorf("%d executions", opened)
		}
		j.publish("a", 1)
		c.expect(fmt.Sprintf(entry, "1", 1002))
	})
}

// next returns the number of an entry, which is the one behind last or a greeting.
func next(t *testing.T, text string, last int) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(text, `{"id":"1","type":"next","payload":{"data":{"entries":%d}}}`, &n); err != nil {
		t.Fatal(text, err)
	}
	if n > 0 && n != last+1 {
		t.Fatalf("after %d: %s", last, text)
	}
	return n
}

func TestSlowReadersAreLeftBehindAgainAndAgainAndMissNothing(t *testing.T) {
	t.Parallel()
	const n = 2000
	w := setup(t, patiently)
	j := newJournal().in(w, resumes)
	var crowd sync.WaitGroup
	for i := range 6 {
		c := w.join(t)
		c.send("%s", longFrom("1", 0))
		crowd.Go(func() {
			for last := range int64(n) {
				if i > 0 && last%500 == 0 { // the first one reads all the time
					j.await(min(n, last+700))
				}
				if !c.longEntry(last + 1) {
					return
				}
			}
		})
	}
	w.shared(t, 6)
	for range n {
		j.publish("a", 1)
	}
	crowd.Wait()
	if _, overruns := w.subs.Counters(); overruns < 5 {
		t.Errorf("only %d times somebody was left behind", overruns)
	}
}

func TestSlowReadersMayLeaveAndComeAgain(t *testing.T) {
	t.Parallel()
	const n = 2000
	var running atomic.Int64
	w := setup(t, patiently, func(ws *transport.WebSocket) {
		ws.Hooks.OnSubscribe = func() { running.Add(1) }
		ws.Hooks.OnComplete = func() { running.Add(-1) }
	})
	j := newJournal().in(w, resumes)
	var crowd sync.WaitGroup
	for i := range 6 {
		c := w.join(t)
		crowd.Go(func() {
			for last := int64(0); last < n; {
				c.send("%s", longFrom("1", last))
				if i > 0 {
					j.await(min(n, last+rand.Int64N(700)))
				}
				for end := min(n, last+rand.Int64N(500)); last < end || i == 0 && last < n; last++ {
					if !c.longEntry(last + 1) {
						return
					}
				}
				c.send(complete, "1")
				c.quiet()
			}
		})
	}
	w.subscribed(t, 6)
	for range n {
		j.publish("a", 1)
	}
	crowd.Wait()
	w.gone(t, j)
	w.shutdown(t)
	if n := running.Load(); n != 0 {
		t.Errorf("%d operations stay", n)
	}
}

// The answers are long, so that a connection does not hold many.
var longName = strings.Repeat("x", 3000)

// longFrom subscribes to long answers.
func longFrom(id string, from int64) string {
	const query = `"subscription($n:Int){%s:entries(of:\"a\",from:$n)}","variables":{"n":%d}`
	return fmt.Sprintf(`{"id":"%s","type":"subscribe","payload":{"query":`+query+`}}`, id, longName, from)
}

// longEntry reads an answer, and reports whether it is that of an offset.
func (c *client) longEntry(offset int64) bool {
	want := fmt.Sprintf(`{"id":"1","type":"next","payload":{"data":{"%s":%d}}}`, longName, offset)
	got, err := c.read()
	if err != nil || got != want {
		c.Errorf("want %d, got %.100s %v", offset, strings.ReplaceAll(got, longName, ""), err)
	}
	return err == nil && got == want
}

// quiet reads what is on its way.
func (c *client) quiet() {
	c.send(`{"type":"ping"}`)
	for got := ""; !strings.Contains(got, "pong"); {
		var err error
		if got, err = c.read(); err != nil {
			c.Error(err)
			return
		}
	}
}
