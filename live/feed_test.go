package live_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/live"
)

// parcel is a payload.
type parcel struct {
	offset int64
	size   int
	words  string // of First
}

func (p *parcel) Size() int     { return p.size }
func (p *parcel) Offset() int64 { return p.offset }

// source is where producers get their payloads: a journal of which some offsets are payloads, the others of no concern. A
// producer begins at its head.
type source struct {
	mu       sync.Mutex
	head     int64
	payloads []*parcel
	err      error         // of Next, once there are no payloads left
	news     chan struct{} // closed at the next change

	greet   func(ctx context.Context) error // what First does, if anything
	opening func(ctx context.Context) error // what open does, if anything

	opened, closed, greeted atomic.Int32
	asked                   atomic.Int32    // Next
	began                   context.Context // of the execution that was opened last
}

func newSource() *source { return &source{news: make(chan struct{})} }

// publish adds payloads of size bytes each and returns the last.
func (s *source) publish(n, size int) (p *parcel) {
	s.change(func() {
		for range n {
			s.head++
			p = &parcel{offset: s.head, size: size}
			s.payloads = append(s.payloads, p)
		}
	})
	return p
}

// pass moves the head over offsets of no concern.
func (s *source) pass(n int64) { s.change(func() { s.head += n }) }

func (s *source) now() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head
}

// fail ends the payloads.
func (s *source) fail(err error) { s.change(func() { s.err = err }) }

func (s *source) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.news)
	s.news = make(chan struct{})
}

func (s *source) open(ctx context.Context) (live.Producer[*parcel], error) {
	s.opened.Add(1)
	if s.opening != nil {
		if err := s.opening(ctx); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = ctx
	return &producer{s, s.head}, nil
}

// producer gives what is behind its place.
type producer struct {
	*source
	place int64
}

func (p *producer) First(ctx context.Context, again bool) (*parcel, error) {
	p.greeted.Add(1)
	if p.greet != nil {
		if err := p.greet(ctx); err != nil {
			return nil, err
		}
	}
	return &parcel{offset: p.Place(), words: fmt.Sprintf("hello %v", again)}, nil
}

func (p *producer) Next(ctx context.Context) (*parcel, error) {
	p.asked.Add(1)
	for {
		next, news, err := p.look()
		if next != nil || err != nil {
			return next, err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (p *producer) look() (*parcel, <-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if next := p.behind(p.place); next != nil {
		p.place = next.offset
		return next, nil, nil
	}
	return nil, p.news, p.err
}

// behind returns the first payload behind an offset.
func (s *source) behind(offset int64) *parcel {
	for _, p := range s.payloads {
		if p.offset > offset {
			return p
		}
	}
	return nil
}

func (p *producer) Place() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.behind(p.place) == nil {
		p.place = p.head
	}
	return p.place
}

func (p *producer) Close() { p.closed.Add(1) }

// feeds are Feeds in a bubble that the test leaves clean.
func feeds(t *testing.T, cfg live.FeedConfig) *live.Feeds[*parcel] {
	f := live.NewFeeds[*parcel](cfg, nil)
	t.Cleanup(f.Close)
	return f
}

func deaf() {}

func join(t *testing.T, f *live.Feeds[*parcel], key string, how live.Join, s *source) *live.Listener[*parcel] {
	t.Helper()
	l, err := f.Join(t.Context(), key, how, s.open, deaf)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// expectOffsets fails the test unless l has these offsets and then nothing.
func expectOffsets(t *testing.T, l *live.Listener[*parcel], offsets ...int64) {
	t.Helper()
	got, state := takeAll(l)
	if !slices.Equal(got, offsets) || state != live.Waiting {
		t.Fatalf("want %v, got %v, then %v", offsets, got, state)
	}
}

func takeAll(l *live.Listener[*parcel]) (offsets []int64, _ live.State) {
	for {
		p, state := l.Take()
		if state != live.Taken {
			return offsets, state
		}
		offsets = append(offsets, p.offset)
	}
}

func TestFeedRunsOnceForAllWhoJoinByOneKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := feeds(t, live.FeedConfig{}), newSource()
		var all []*live.Listener[*parcel]
		for range 50 {
			all = append(all, join(t, f, "a", live.Join{}, s))
		}
		all = append(all, join(t, f, "b", live.Join{}, s))
		if n := s.opened.Load(); n != 2 || f.Count() != 2 || all[0].Sharing() != 50 {
			t.Errorf("%d executions, %d feeds, %d share", n, f.Count(), all[0].Sharing())
		}
		s.publish(3, 1)
		synctest.Wait()
		for _, l := range all {
			if l.Lag() != 3 || l.Place() != 0 {
				t.Errorf("%d to take, at %d", l.Lag(), l.Place())
			}
			expectOffsets(t, l, 1, 2, 3)
			if l.Lag() != 0 || l.Place() != 3 {
				t.Errorf("%d to take, at %d", l.Lag(), l.Place())
			}
		}
		if f.Published() != 6 || f.Overruns() != 0 {
			t.Errorf("%d published, %d left behind", f.Published(), f.Overruns())
		}
	})
}

func TestAllWhoComeTogetherGetOneFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := feeds(t, live.FeedConfig{}), newSource()
		gate := make(chan struct{})
		s.opening = func(context.Context) error { <-gate; return nil }
		want := map[live.Join]string{{First: true}: "hello false", {First: true, Again: true}: "hello true", {}: ""}
		var first sync.Map
		for how, words := range want {
			for range 20 {
				go func() {
					l := join(t, f, "a", how, s)
					p, state := l.Take()
					switch {
					case words == "" && state == live.Waiting:
						return
					case state != live.Taken || p.words != words:
						t.Errorf("%+v: want %q, got %+v %v", how, words, p, state)
					}
					if other, loaded := first.LoadOrStore(how, p); loaded && other != p {
						t.Errorf("%+v: two payloads for those who came together", how)
					}
				}()
			}
		}
		synctest.Wait()
		close(gate)
		synctest.Wait()
		if n := s.greeted.Load(); n != 2 {
			t.Errorf("First was asked %d times", n)
		}
		join(t, f, "a", live.Join{First: true}, s)
		if n := s.greeted.Load(); n != 3 {
			t.Errorf("First was asked %d times, with one who came later", n)
		}
	})
}

func TestNewcomerGetsNothingWhereThereIsNothingToSay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := feeds(t, live.FeedConfig{}), newSource()
		s.greet = func(context.Context) error { return live.ErrNothing }
		l := join(t, f, "a", live.Join{First: true}, s)
		s.publish(1, 1)
		synctest.Wait()
		expectOffsets(t, l, 1)
	})
}

// TestJoinerGetsEachPayloadBehindItsPlaceOnce has listeners come and go at any place, and compares each with the journal.
func TestJoinerGetsEachPayloadBehindItsPlaceOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { rapid.Check(struct{ testing.TB }{t}, feedModel) })
}

func feedModel(t *rapid.T) {
	const most = 5
	f, s := live.NewFeeds[*parcel](live.FeedConfig{MaxPayloads: most}, nil), newSource()
	defer f.Close()
	type joined struct {
		atLeast int64
		*live.Listener[*parcel]
		place int64 // up to where it has had everything
	}
	var all []*joined
	come := make(chan *joined, 1000)
	some := func(t *rapid.T) *joined {
		if len(all) == 0 {
			t.Skip("nobody listens")
		}
		return rapid.SampledFrom(all).Draw(t, "listener")
	}
	t.Repeat(map[string]func(*rapid.T){
		"publish": func(t *rapid.T) { s.publish(rapid.IntRange(1, most+1).Draw(t, "n"), 1) },
		"pass":    func(t *rapid.T) { s.pass(rapid.Int64Range(1, 3).Draw(t, "n")) },
		"time":    func(*rapid.T) { time.Sleep(time.Second) },
		"join": func(t *rapid.T) {
			j := &joined{atLeast: max(0, s.now()+rapid.Int64Range(-3, 3).Draw(t, "ahead"))}
			go func() { // those who are early wait
				l, err := f.Join(context.Background(), "a", live.Join{AtLeast: j.atLeast}, s.open, deaf)
				if err != nil {
					return // the end of the test
				}
				j.Listener, j.place = l, l.Place()
				come <- j
				if j.place < j.atLeast {
					t.Errorf("joined at %d, not at %d", j.place, j.atLeast)
				}
			}()
		},
		"take": func(t *rapid.T) {
			l := some(t)
			next := s.behind(l.place)
			p, state := l.Take()
			switch {
			case state == live.Taken && p == next:
				l.place = p.offset
			case state == live.Waiting && next == nil && l.Lag() == 0:
			case state == live.Behind && l.Lag() > most:
			default:
				t.Fatalf("at %d: want %+v, got %+v %v", l.place, next, p, state)
			}
		},
		"leave": func(t *rapid.T) {
			l := some(t)
			l.Leave()
			all = slices.DeleteFunc(all, func(other *joined) bool { return other == l })
		},
		"": func(t *rapid.T) {
			synctest.Wait()
			for len(come) > 0 {
				all = append(all, <-come)
			}
			if n := s.opened.Load() - s.closed.Load(); int(n) != f.Count() || len(all) > 0 && n != 1 {
				t.Fatalf("%d executions, %d feeds, %d listeners", n, f.Count(), len(all))
			}
		},
	})
}

func TestListenerThatLagsTooFarIsBehind(t *testing.T) {
	t.Parallel()
	f := func(cfg live.FeedConfig, fits, size int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			f, s := feeds(t, cfg), newSource()
			takes := join(t, f, "a", live.Join{}, s)
			for range 2 { // what was taken does not count
				s.publish(fits, size)
				synctest.Wait()
				_, _ = takeAll(takes)
			}
			lags := join(t, f, "a", live.Join{}, s)
			place := lags.Place()
			s.publish(fits, size)
			synctest.Wait()
			if got, _ := takeAll(takes); len(got) != fits {
				t.Errorf("of %d of %d bytes there are %v", fits, size, got)
			}
			s.publish(1, size)
			synctest.Wait()
			if _, state := lags.Take(); state != live.Behind || f.Overruns() != 1 || lags.Place() != place {
				t.Errorf("of %d of %d bytes: %v, %d left behind at %d", fits+1, size, state, f.Overruns(), lags.Place())
			}
			expectOffsets(t, takes, place+int64(fits)+1)
		})
	}
	f(live.FeedConfig{MaxPayloads: 3}, 3, 1)
	f(live.FeedConfig{MaxBytes: 300}, 3, 100)
	f(live.FeedConfig{MaxBytes: 300}, 1, 10_000) // the newest is kept in any case
	f(live.FeedConfig{}, 256, 1)
	f(live.FeedConfig{}, 4, 256<<10)
	f(live.FeedConfig{MaxAllBytes: 300}, 3, 100)
}

func TestPayloadIsLetGoWhenAllHaveTakenIt(t *testing.T) {
	t.Parallel()
	f, s := feeds(t, live.FeedConfig{}), newSource()
	var l atomic.Pointer[live.Listener[*parcel]]
	taken := make(chan weak.Pointer[parcel], 1)
	joined, err := f.Join(t.Context(), "a", live.Join{}, s.open, func() {
		p, _ := l.Load().Take()
		taken <- weak.Make(p)
	})
	if err != nil {
		t.Fatal(err)
	}
	l.Store(joined)
	s.publish(1, 1)
	p := <-taken
	s.change(func() { s.payloads = nil })
	for i := 0; p.Value() != nil; i++ { // the feed may not have come so far
		if runtime.GC(); i == 1000 {
			t.Fatal("the feed still holds it")
		}
	}
	runtime.KeepAlive(joined)
}

func TestLastWhoLeavesEndsTheExecution(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := feeds(t, live.FeedConfig{}), newSource()
		a, b := join(t, f, "a", live.Join{}, s), join(t, f, "a", live.Join{}, s)
		a.Leave()
		a.Leave() // counts once
		synctest.Wait()
		if s.closed.Load() != 0 || b.Sharing() != 1 {
			t.Fatal("somebody still listened")
		}
		b.Leave()
		synctest.Wait()
		if s.closed.Load() != 1 || f.Count() != 0 || s.began.Err() == nil {
			t.Errorf("closed %d times, %d feeds, %v", s.closed.Load(), f.Count(), s.began.Err())
		}
		c := join(t, f, "a", live.Join{}, s)
		s.publish(1, 1)
		synctest.Wait()
		expectOffsets(t, c, 1)
		if s.opened.Load() != 2 {
			t.Errorf("%d executions", s.opened.Load())
		}
	})
}

func TestWhoCannotOpenTellsAllWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := feeds(t, live.FeedConfig{}), newSource()
		gate, broken := make(chan struct{}), errors.New("broken")
		s.opening = func(context.Context) error { <-gate; return broken }
		var told atomic.Int32
		for range 10 {
			go func() {
				if _, err := f.Join(t.Context(), "a", live.Join{}, s.open, deaf); errors.Is(err, broken) {
					told.Add(1)
				}
			}()
		}
		synctest.Wait()
		close(gate)
		synctest.Wait()
		if told.Load() != 10 || f.Count() != 0 || s.opened.Load() != 1 || s.closed.Load() != 0 {
			t.Errorf("%d told, %d feeds, opened %d, closed %d", told.Load(), f.Count(), s.opened.Load(), s.closed.Load())
		}
	})
}

func TestFailureOfFirstIsTheNewcomersAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := feeds(t, live.FeedConfig{}), newSource()
		broken := errors.New("broken")
		s.greet = func(context.Context) error { return broken }
		if _, err := f.Join(t.Context(), "a", live.Join{First: true}, s.open, deaf); !errors.Is(err, broken) {
			t.Errorf("the newcomer got %v", err)
		}
		synctest.Wait()
		if s.closed.Load() != 1 || f.Count() != 0 {
			t.Errorf("with nobody there it was closed %d times, %d feeds", s.closed.Load(), f.Count())
		}
		l := join(t, f, "a", live.Join{}, s)
		if _, err := f.Join(t.Context(), "a", live.Join{First: true}, s.open, deaf); !errors.Is(err, broken) {
			t.Errorf("the newcomer got %v", err)
		}
		s.publish(1, 1)
		synctest.Wait()
		expectOffsets(t, l, 1)
	})
}

func TestPanicOfAProducerEndsItsFeedAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := feeds(t, live.FeedConfig{}), newSource()
		l, other := join(t, f, "a", live.Join{}, s), join(t, f, "b", live.Join{}, newSource())
		s.greet = func(context.Context) error { panic("oh") }
		if _, err := f.Join(t.Context(), "a", live.Join{First: true}, s.open, deaf); err == nil {
			t.Error("who was never let in has joined")
		}
		synctest.Wait()
		if _, state := l.Take(); state != live.Over || l.Err() == nil || errors.Is(l.Err(), io.EOF) {
			t.Errorf("the other got %v %v", state, l.Err())
		}
		s.opening = func(context.Context) error { panic("oh") }
		if _, err := f.Join(t.Context(), "a", live.Join{}, s.open, deaf); err == nil {
			t.Error("it joined what could not be opened")
		}
		expectOffsets(t, other)
		if f.Count() != 1 {
			t.Errorf("%d feeds", f.Count())
		}
	})
}

func TestBytesOfAllFeedsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := feeds(t, live.FeedConfig{MaxAllBytes: 1000})
		sources := []*source{newSource(), newSource(), newSource()}
		var idle []*live.Listener[*parcel]
		for i, s := range sources { // of which nobody takes anything
			idle = append(idle, join(t, f, fmt.Sprint(i), live.Join{}, s))
			s.publish(8, 100)
			synctest.Wait()
		}
		for i, want := range []live.State{live.Taken, live.Behind, live.Behind} {
			if _, state := idle[i].Take(); state != want {
				t.Errorf("feed %d: want %v, got %v", i, want, state)
			}
		}
		newest := join(t, f, "2", live.Join{}, sources[2]) // which is kept in any case
		sources[2].publish(1, 100)
		synctest.Wait()
		expectOffsets(t, newest, 9)
		for _, l := range idle {
			l.Leave() // and what was kept for it goes
		}
		s := newSource()
		l := join(t, f, "new", live.Join{}, s)
		s.publish(9, 100)
		synctest.Wait()
		expectOffsets(t, l, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	})
}

func TestFeedIsOverOnceAllIsTaken(t *testing.T) {
	t.Parallel()
	for _, end := range []error{io.EOF, errors.New("broken")} {
		synctest.Test(t, func(t *testing.T) {
			f, s := feeds(t, live.FeedConfig{}), newSource()
			l := join(t, f, "a", live.Join{}, s)
			if l.Err() != nil {
				t.Error(l.Err())
			}
			s.publish(2, 1)
			s.fail(end)
			synctest.Wait()
			if got, state := takeAll(l); len(got) != 2 || state != live.Over || !errors.Is(l.Err(), end) {
				t.Errorf("got %v, then %v %v", got, state, l.Err())
			}
			if _, err := f.Join(t.Context(), "a", live.Join{}, s.open, deaf); err != nil && !errors.Is(err, end) {
				t.Error(err) // it may hear of the end, or join shortly before
			}
			if s.opened.Load() != 2 {
				t.Error("who came later was not executed anew")
			}
		})
	}
}

func TestJoinEndsWithItsContextAndSoDoesWhatNobodyWaitsFor(t *testing.T) {
	t.Parallel()
	blocked := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	f := func(s *source, how live.Join) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s.news = make(chan struct{})
			f := feeds(t, live.FeedConfig{})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := f.Join(ctx, "a", how, s.open, deaf)
				done <- err
			}()
			synctest.Wait()
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			synctest.Wait()
			if f.Count() != 0 {
				t.Errorf("%d feeds", f.Count())
			}
		})
	}
	f(&source{opening: blocked}, live.Join{})
	f(&source{greet: blocked}, live.Join{First: true})
	f(&source{}, live.Join{AtLeast: 100})
}

func TestJoinThatIsGivenUpDisturbsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := feeds(t, live.FeedConfig{}), newSource()
		gate := make(chan struct{})
		s.greet = func(context.Context) error { <-gate; return nil }
		l := join(t, f, "a", live.Join{}, s)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = f.Join(ctx, "a", live.Join{First: true}, s.open, deaf) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(gate) // who has gone is not let in
		s.publish(1, 1)
		synctest.Wait()
		expectOffsets(t, l, 1)
		if l.Sharing() != 1 || s.closed.Load() != 0 {
			t.Errorf("%d listen, closed %d times", l.Sharing(), s.closed.Load())
		}
	})
}

func TestWhoIsEarlyJoinsWhenThePlaceHasMovedOnInSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := feeds(t, live.FeedConfig{}), newSource()
		join(t, f, "a", live.Join{}, s)
		joined := make(chan int64, 1)
		go func() { joined <- join(t, f, "a", live.Join{AtLeast: 3}, s).Place() }()
		time.Sleep(time.Minute)
		if len(joined) > 0 {
			t.Fatal("it joined too early")
		}
		s.pass(4)
		if place := <-joined; place != 4 {
			t.Errorf("it joined at %d", place)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = f.Join(ctx, "a", live.Join{AtLeast: 10}, s.open, deaf) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		asked := s.asked.Load()
		go func() { _, _ = f.Join(t.Context(), "a", live.Join{AtLeast: 10}, s.open, deaf) }()
		time.Sleep(time.Minute)
		if n := s.asked.Load() - asked; n < 100 || n > 130 {
			t.Errorf("for somebody early it looked %d times", n)
		}
		s.pass(10)
		time.Sleep(time.Second)
		asked = s.asked.Load()
		time.Sleep(time.Minute)
		if n := s.asked.Load(); n > asked+1 {
			t.Errorf("with nobody early it looked %d times", n-asked)
		}
	})
}

func TestCloseEndsAllFeedsAndRefusesFurtherOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, s := live.NewFeeds[*parcel](live.FeedConfig{}, nil), newSource()
		l := join(t, f, "a", live.Join{}, s)
		early := make(chan error, 1)
		go func() {
			_, err := f.Join(t.Context(), "b", live.Join{AtLeast: 1}, s.open, deaf)
			early <- err
		}()
		synctest.Wait()
		f.Close()
		if s.closed.Load() != 2 || f.Count() != 0 {
			t.Errorf("closed %d, %d feeds", s.closed.Load(), f.Count())
		}
		if _, state := l.Take(); state != live.Over || !errors.Is(l.Err(), context.Canceled) {
			t.Errorf("got %v %v", state, l.Err())
		}
		if err := <-early; !errors.Is(err, context.Canceled) {
			t.Errorf("who was early got %v", err)
		}
		_, err := f.Join(t.Context(), "a", live.Join{}, s.open, deaf)
		if fault.Of(err).Code != fault.Unavailable {
			t.Errorf("who came later got %v", err)
		}
		l.Leave()
		f.Close()
	})
}

// TestFeedWakesEverybodyWhileOthersComeAndGo is for the race detector, and counts.
func TestFeedWakesEverybodyWhileOthersComeAndGo(t *testing.T) {
	t.Parallel()
	const stayers, visitors, n = 20, 8, 2000
	f, s := feeds(t, live.FeedConfig{MaxPayloads: n}), newSource()
	var crowd, visits sync.WaitGroup
	defer visits.Wait()
	for range stayers {
		news := make(chan struct{}, 1)
		l, err := f.Join(t.Context(), "a", live.Join{}, s.open, func() {
			select {
			case news <- struct{}{}:
			default:
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		crowd.Go(func() {
			defer l.Leave()
			for last := int64(0); last < n; {
				<-news
				got, _ := takeAll(l)
				for _, offset := range got {
					if last++; offset != last {
						t.Errorf("want %d, got %d", last, offset)
						return
					}
				}
			}
		})
	}
	over := make(chan struct{})
	defer close(over)
	for range visitors {
		visits.Go(func() { visit(t, f, s, over) })
	}
	for range n {
		s.publish(1, 1)
	}
	crowd.Wait()
}

// visit joins, takes and leaves until over.
func visit(t *testing.T, f *live.Feeds[*parcel], s *source, over <-chan struct{}) {
	for {
		select {
		case <-over:
			return
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.Int64N(int64(time.Millisecond))))
		l, err := f.Join(ctx, "a", live.Join{AtLeast: 1, First: rand.N(2) == 0}, s.open, deaf)
		if err == nil {
			place := l.Place()
			if got, state := takeAll(l); state != live.Waiting || len(got) > 0 && got[0] < place {
				t.Errorf("at %d: got %v, then %v", place, got, state)
			}
			l.Leave()
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
	}
}
