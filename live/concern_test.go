package live_test

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
)

// narrowed returns a subscription behind the head that only some of the first ten series concern.
func narrowed(t *testing.T, f fixture, after int64, series ...int64) *live.Subscription {
	t.Helper()
	sub := f.Subscribe(project, after)
	narrow(t, sub, series...)
	return sub
}

func narrow(t *testing.T, sub *live.Subscription, series ...int64) {
	t.Helper()
	concern := map[int64]bool{}
	for id := range int64(10) {
		concern[id] = slices.Contains(series, id)
	}
	if missing := sub.Narrow(concern); len(missing) > 0 {
		t.Fatalf("series %v are missing", missing)
	}
}

// expectMetric wants a value of one of the hub's metrics.
func expectMetric(t *testing.T, f fixture, name string, want float64) {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(f.Hub)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if m := family.GetMetric()[0]; family.GetName() == name {
			if got := m.GetGauge().GetValue() + m.GetCounter().GetValue(); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
			return
		}
	}
	t.Errorf("there is no %s", name)
}

func TestNarrowedSubscriptionGetsOnlyWhatConcernsIt(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 0)
	f.publishOf(1, 2, 3)
	sub := narrowed(t, f, 0, 1, 3)
	f.publishOf(2)
	expect(t, sub, 1)
	f.publishOf(2)
	expectNothing(t, sub)
	f.publishOf(2) // 4
	f.publishOf(1, 3)
	f.publishOf(2)
	f.Apply(f.journal.append(journal.Entry{Deletions: []reading.Deletion{reading.DeleteAll(2)}}))
	f.Apply(f.journal.append(journal.Entry{Deletions: []reading.Deletion{reading.DeleteAll(3)}}))
	expect(t, sub, 5, 8)
	expectNothing(t, sub)
}

func TestNarrowAsksForEverySeriesThatTheHubKnows(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 0)
	f.Start(journal.Beginning{Project: project, Latest: []reading.Reading{{Series: 70}, {Series: 5}}})
	f.publishOf(3, 70)
	sub := f.Subscribe(project, 0)
	missing := sub.Narrow(map[int64]bool{5: true, 4: true})
	if slices.Sort(missing); !slices.Equal(missing, []int64{3, 70}) {
		t.Errorf("missing: %v, want 3 and 70", missing)
	}
	expect(t, sub, 1) // it was not narrowed
	if missing := sub.Narrow(map[int64]bool{5: true, 3: false, 70: false}); missing != nil {
		t.Errorf("missing: %v, want none", missing)
	}
}

func TestStrangeSeriesConcernsEachUntilItDeclines(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 0)
	f.publishOf(1, 2)
	keeps, declines := narrowed(t, f, 1, 1), narrowed(t, f, 1, 1)
	for _, sub := range []*live.Subscription{keeps, declines} {
		expectNothing(t, sub)
	}
	f.publishOf(2, 30) // 2
	f.publishOf(30)
	expect(t, keeps, 2, 3)
	expect(t, declines, 2)
	declines.Decline(30)
	expectNothing(t, declines)
	expectNothing(t, keeps)
	f.publishOf(30) // 4
	if declines.Place() != 4 || keeps.Place() != 3 {
		t.Errorf("at places %d and %d, want 4 and 3", declines.Place(), keeps.Place())
	}
	f.publishOf(1)
	expect(t, keeps, 4, 5)
	expect(t, declines, 5)
}

func TestStrangeSeriesWakesThoseWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := setup(live.Config{}, 0)
		f.publishOf(1, 2)
		var got sync.WaitGroup
		got.Go(func() { expect(t, narrowed(t, f, 1, 1), 3) })
		synctest.Wait()
		f.publishOf(2)
		f.publishOf(30)
		got.Wait()
	})
}

// What was narrowed away before a filter was widened has passed; what comes behind that place has not.
func TestWidenedSubscriptionGetsAllBehindItsPlace(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 0)
	f.publishOf(1, 2)
	sub := narrowed(t, f, 1, 1)
	f.publishOf(2)
	expectNothing(t, sub)
	f.publishOf(1) // 3
	f.publishOf(2)
	f.publishOf(1)
	sub.Widen()
	expect(t, sub, 3, 4, 5)
	f.publishOf(2)
	expect(t, sub, 6)
}

func TestNarrowedAnewItGetsWhatConcernsItNowBehindItsPlace(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 0)
	f.publishOf(1, 2, 3)
	sub := narrowed(t, f, 1, 1)
	expectNothing(t, sub)
	f.publishOf(2)
	f.publishOf(1) // 3
	f.publishOf(2)
	f.publishOf(3)
	narrow(t, sub, 2)
	expect(t, sub, 4)
	expectNothing(t, sub)
	f.publishOf(1)
	f.publishOf(2)
	expect(t, sub, 7)
}

func TestPlaceMovesOnWithoutAWakeUp(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 0)
	f.publishOf(1, 2)
	sub := narrowed(t, f, 1, 1)
	at := func(want int64) {
		t.Helper()
		if got := sub.Place(); got != want {
			t.Errorf("at place %d, want %d", got, want)
		}
	}
	at(1)
	expectNothing(t, sub)
	f.publishOf(2)
	f.publishOf(2)
	at(3)
	expectMetric(t, f, "readout_live_queued", 0)
	f.publishOf(1)
	f.publishOf(2)
	at(3)
	expectMetric(t, f, "readout_live_queued", 1)
	expect(t, sub, 4)
	at(5)
}

func TestTakeReturnsWhatIsHereAndReadsNothing(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxEntries: 2}, 5)
	sub := f.Subscribe(project, 0)
	take := func(want int64) {
		t.Helper()
		if e, ok := sub.Take(); ok != (want > 0) || e.Offset != want {
			t.Errorf("took offset %d, %v; want %d", e.Offset, ok, want)
		}
	}
	take(0)
	if n := f.journal.readsSoFar(); n != 0 {
		t.Errorf("%d reads of the journal", n)
	}
	expect(t, sub, 1)
	for offset := range int64(4) { // a page, and the ring
		take(offset + 2)
	}
	take(0)
	f.publish()
	take(6)
}

// A queue that overflows is dropped, and what was in it comes from the ring and the journal.
func TestOverrunQueueLosesNothing(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]live.Config{"entries": {MaxEntries: 4}, "bytes": {MaxBytes: 4 * 24}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(cfg, 0)
			f.publishOf(1, 2)
			sub := narrowed(t, f, 1, 1)
			expectNothing(t, sub)
			for range 4 {
				f.publishOf(2)
				f.publishOf(1)
			}
			expect(t, sub, 3)
			f.publishOf(1) // 10
			if n := f.journal.readsSoFar(); n != 0 {
				t.Errorf("%d reads of the journal for what the queue holds", n)
			}
			f.publishOf(1) // 11: one too many
			if sub.Place() != 4 {
				t.Errorf("the overrun subscription is at place %d, want 4", sub.Place())
			}
			expect(t, sub, 5, 7, 9, 10, 11)
			expectNothing(t, sub)
			for offset := int64(12); offset < 20; offset += 2 {
				f.publishOf(1)
				f.publishOf(1)
				expect(t, sub, offset, offset+1)
			}
			expectMetric(t, f, "readout_live_overruns_total", 1)
		})
	}
}

func TestEntryThatIsTooLargeForAQueueWaitsAlone(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxBytes: 10 * 24}, 1)
	sub := f.Subscribe(project, 1)
	expectNothing(t, sub)
	f.Apply(f.journal.commit(11))
	expectMetric(t, f, "readout_live_queued", 1)
	expect(t, sub, 2)
	expectMetric(t, f, "readout_live_overruns_total", 0)
}

// The hub begins anew, and its new beginning names a series that nobody was asked about.
func TestSeriesOfANewBeginningIsStrange(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 0)
	f.publishOf(1, 2)
	sub := narrowed(t, f, 1, 1)
	expectNothing(t, sub)
	f.Start(journal.Beginning{Project: project, After: 1, Latest: []reading.Reading{{Series: 1}, {Series: 40}}})
	f.publishOf(40)
	expect(t, sub, 2)
}

// The journal holds entries from before the hub's beginning, of series that have nothing any more.
func TestSeriesFromBeforeTheBeginningIsStrangeToo(t *testing.T) {
	t.Parallel()
	f := fixture{journal: &fakeJournal{}}
	f.Hub = live.New(f.journal, live.Config{})
	for range 3 {
		f.journal.commitOf(50)
	}
	f.Start(journal.Beginning{Project: project, After: 3})
	f.publishOf(1)
	sub := narrowed(t, f, 0, 1)
	expect(t, sub, 1, 2)
	sub.Decline(50)
	expect(t, sub, 4)
	f.publishOf(50)
	expect(t, sub, 5) // it was published for the first time
}

func TestCloseEndsANextThatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := setup(live.Config{}, 1)
		sub := f.Subscribe(project, 1)
		var ended sync.WaitGroup
		ended.Go(func() {
			if _, err := sub.Next(t.Context()); !errors.Is(err, live.ErrClosed) {
				t.Errorf("next of a closed subscription: %v, want %v", err, live.ErrClosed)
			}
		})
		synctest.Wait()
		sub.Close()
		ended.Wait()
	})
}

func TestClosedSubscriptionIsForgotten(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxEntries: 1}, 0)
	f.publishOf(1, 2)
	f.publishOf(2)
	f.publishOf(2)
	var closed []weak.Pointer[live.Subscription]
	for i, sub := range []*live.Subscription{f.Subscribe(project, 0), narrowed(t, f, 0, 1)} {
		expect(t, sub, 1)
		sub.Close()
		f.publishOf(30 + int64(i))
		_, _ = sub.Next(t.Context()) // its goroutine may be about to
		closed = append(closed, weak.Make(sub))
	}
	runtime.GC()
	for i, sub := range closed {
		if sub.Value() != nil {
			t.Errorf("subscription %d is kept", i)
		}
	}
	runtime.KeepAlive(f.Hub)
}

func TestRingPublishedToLongestAgoGivesWay(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxAllBytes: 10 * 24}, 0)
	const a, b, c = 11, 12, 13
	for _, id := range []int64{a, b, c} {
		f.Start(journal.Beginning{Project: id})
	}
	f.journal.commit(1)
	publish := func(project, offset int64, readings int) {
		f.Apply(journal.Entry{Project: project, Offset: offset, Readings: make([]reading.Reading, readings)})
	}
	reads := func(project, offset int64, want int) {
		t.Helper()
		before := f.journal.readsSoFar()
		expect(t, f.Subscribe(project, offset-1), offset)
		if got := f.journal.readsSoFar() - before; got != want {
			t.Errorf("%d reads of the journal of project %d, want %d", got, project, want)
		}
	}
	publish(a, 1, 4)
	publish(b, 1, 4)
	publish(a, 2, 1)
	publish(c, 1, 2) // one too many
	reads(a, 1, 0)
	reads(b, 1, 1)
	reads(c, 1, 0)
	f.ForgetProject(c)
	publish(b, 2, 5) // that has room now
	reads(a, 1, 0)
	publish(b, 3, 100) // the newest is kept in any case
	reads(b, 3, 0)
	reads(a, 1, 1)

	publish(a, 3, 5)
	publish(b, 4, 5)
	f.Start(journal.Beginning{Project: b, After: 4}) // it has none of its entries any more
	f.Start(journal.Beginning{Project: c})
	publish(c, 1, 5)
	reads(a, 3, 0)
}
