package live_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
)

const project = 7

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeJournal stands for the journal in the database: a live.Reader.
type fakeJournal struct {
	mu      sync.Mutex
	entries []journal.Entry // consecutive
	reads   int
	err     error
}

func (j *fakeJournal) Read(_ context.Context, _, after int64, limit int) ([]journal.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.reads++
	if j.err != nil {
		return nil, j.err
	}
	i := slices.IndexFunc(j.entries, func(e journal.Entry) bool { return e.Offset > after })
	if i < 0 {
		return nil, nil
	}
	return slices.Clone(j.entries[i:min(i+limit, len(j.entries))]), nil
}

func (j *fakeJournal) CommittedAt(_ context.Context, _, offset int64) (time.Time, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.reads++
	return j.committedAt(offset), j.err
}

// committedAt returns when the entry at an offset was written; zero when there is none.
func (j *fakeJournal) committedAt(offset int64) time.Time {
	for _, e := range j.entries {
		if e.Offset == offset {
			return e.At
		}
	}
	return time.Time{}
}

// commit writes the next entry, with n readings.
func (j *fakeJournal) commit(n int) journal.Entry {
	return j.append(journal.Entry{Readings: make([]reading.Reading, n)})
}

// commitOf writes the next entry, with a reading of each series.
func (j *fakeJournal) commitOf(series ...int64) journal.Entry {
	var e journal.Entry
	for _, id := range series {
		e.Readings = append(e.Readings, reading.Reading{Series: id})
	}
	return j.append(e)
}

func (j *fakeJournal) append(e journal.Entry) journal.Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.Project, e.Offset = project, 1
	if len(j.entries) > 0 {
		e.Offset = j.entries[len(j.entries)-1].Offset + 1
	}
	e.At = time.UnixMicro(1000 * e.Offset)
	j.entries = append(j.entries, e)
	return e
}

// offsetsOf returns the offsets of the entries that hold one of the series that are mine.
func (j *fakeJournal) offsetsOf(mine func(id int64) bool) (offsets []int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.entries {
		if slices.ContainsFunc(seriesOf(e), mine) {
			offsets = append(offsets, e.Offset)
		}
	}
	return offsets
}

// drop removes the entries up to offset.
func (j *fakeJournal) drop(offset int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = slices.DeleteFunc(j.entries, func(e journal.Entry) bool { return e.Offset <= offset })
}

func (j *fakeJournal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = err
}

func (j *fakeJournal) readsSoFar() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.reads
}

type fixture struct {
	*live.Hub
	journal *fakeJournal
}

// setup returns a hub that was told of a journal with n entries.
func setup(cfg live.Config, n int) fixture {
	f := fixture{journal: &fakeJournal{}}
	f.Hub = live.New(f.journal, cfg)
	f.Start(journal.Beginning{Project: project})
	for range n {
		f.publish()
	}
	return f
}

func (f fixture) publish() { f.Apply(f.journal.commit(1)) }

func (f fixture) publishOf(series ...int64) { f.Apply(f.journal.commitOf(series...)) }

// expect takes the next entries of sub and wants these offsets.
func expect(t *testing.T, sub *live.Subscription, offsets ...int64) {
	t.Helper()
	for _, want := range offsets {
		e, err := sub.Next(t.Context())
		if err != nil || e.Offset != want {
			t.Fatalf("next entry: offset %d, %v; want %d", e.Offset, err, want)
		}
	}
}

// expectNothing wants no further entry to be there.
func expectNothing(t *testing.T, sub *live.Subscription) {
	t.Helper()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if e, err := sub.Next(ended); !errors.Is(err, context.Canceled) {
		t.Fatalf("next entry: offset %d, %v; want none", e.Offset, err)
	}
}

func expectError(t *testing.T, sub *live.Subscription, want error) {
	t.Helper()
	if e, err := sub.Next(t.Context()); !errors.Is(err, want) {
		t.Errorf("next entry: offset %d, %v; want %v", e.Offset, err, want)
	}
}

func TestSubscriptionGoesOnFromItsPlace(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 5)
	sub := f.Subscribe(project, 3)
	expect(t, sub, 4, 5)
	f.publish()
	expect(t, sub, 6)
	if n := f.journal.readsSoFar(); n != 0 {
		t.Errorf("%d reads of the journal for entries that the ring holds", n)
	}
}

func TestSubscriptionPagesThroughTheJournalWhenTheRingHasMovedOn(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxEntries: 4}, 40)
	sub := f.Subscribe(project, 0)
	for offset := int64(1); offset <= 40; offset++ {
		expect(t, sub, offset)
	}
	// Pages of 16, 16 and 4; the rest is in the ring.
	if n := f.journal.readsSoFar(); n != 3 {
		t.Errorf("%d reads of the journal, want 3", n)
	}
}

func TestRingIsBoundedByBytesButKeepsTheNewest(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxBytes: 10 * 24}, 0)
	for _, readings := range []int{4, 4, 4, 100} {
		f.Apply(f.journal.commit(readings))
	}
	expect(t, f.Subscribe(project, 3), 4)
	if n := f.journal.readsSoFar(); n != 0 {
		t.Errorf("%d reads for the newest entry", n)
	}
	expect(t, f.Subscribe(project, 2), 3)
	if n := f.journal.readsSoFar(); n != 1 {
		t.Errorf("%d reads for an entry that is over the ring's bytes, want 1", n)
	}
}

func TestRingForgetsWhatItDropped(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxBytes: 10 * 24}, 40) // entries of one reading
	expect(t, f.Subscribe(project, 30), 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
	if n := f.journal.readsSoFar(); n != 0 {
		t.Errorf("%d reads for the ten newest entries", n)
	}
	expect(t, f.Subscribe(project, 29), 30)
	if n := f.journal.readsSoFar(); n != 1 {
		t.Errorf("%d reads for the eleventh, want 1", n)
	}
}

func TestWaitingSubscribersAskNobodyAndAllAreWoken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const subscribers = 50
		f := setup(live.Config{}, 3)
		var got sync.WaitGroup
		for range subscribers {
			got.Go(func() { expect(t, f.Subscribe(project, 3), 4) })
		}
		synctest.Wait() // all of them wait, and nothing else runs
		f.publish()
		got.Wait()
		if n := f.journal.readsSoFar(); n != 0 {
			t.Errorf("%d reads of the journal without need", n)
		}
	})
}

func TestNextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 1)
	sub := f.Subscribe(project, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sub.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("next with an ended context: %v", err)
	}
	f.publish()
	expect(t, sub, 2)
}

func TestPlaceBeforeTheJournalsBeginIsAReset(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxEntries: 2}, 10)
	f.journal.drop(6)
	expectError(t, f.Subscribe(project, 3), live.ErrReset)
	expectError(t, f.Subscribe(project, -1), live.ErrReset)
	expect(t, f.Subscribe(project, 6), 7, 8, 9, 10)
	f.journal.drop(10)
	expectError(t, f.Subscribe(project, 6), live.ErrReset)
	expect(t, f.Subscribe(project, 8), 9, 10)
}

func TestPlaceFromTheFutureIsAReset(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{}, 3)
	expectError(t, f.Subscribe(project, 4), live.ErrReset)
	expectError(t, f.Subscribe(project, 400), live.ErrReset)
	for range 3 {
		f.journal.commit(1) // by another process
	}
	f.journal.drop(5)
	expectError(t, f.Subscribe(project, 5), live.ErrReset)
}

// Another process has written the entries and given their offset to a client, who asks us before we were told.
func TestPlaceAheadOfTheHubWaitsForItToCatchUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := setup(live.Config{}, 3)
		ahead := []journal.Entry{f.journal.commit(1), f.journal.commit(1), f.journal.commit(1)}
		var got sync.WaitGroup
		got.Go(func() { expect(t, f.Subscribe(project, 5), 6) })
		synctest.Wait()
		for _, e := range ahead {
			f.Apply(e)
			synctest.Wait()
		}
		got.Wait()
		if n := f.journal.readsSoFar(); n != 1 {
			t.Errorf("%d reads of the journal, want 1", n)
		}
	})
}

// The hub begins anew behind entries that are packed and gone: who has not had them is told, who has them goes on.
func TestSubscriptionThatMissesWhatIsGoneIsReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := setup(live.Config{}, 5)
		behind, ahead := f.Subscribe(project, 5), f.Subscribe(project, 9)
		for range 4 {
			f.journal.commit(1)
		}
		var reset sync.WaitGroup
		reset.Go(func() { expectError(t, behind, live.ErrReset) })
		synctest.Wait() // it waits for entry 6
		last := f.journal.commit(1)
		f.journal.drop(9)
		f.Start(journal.Beginning{Project: project, After: 9})
		reset.Wait()
		expectError(t, f.Subscribe(project, 2), live.ErrReset)
		f.Apply(last)
		expect(t, ahead, 10)
	})
}

func TestReadErrorLeavesTheSubscriptionWhereItWas(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxEntries: 1}, 20)
	sub := f.Subscribe(project, 0)
	away := fault.New(fault.Unavailable, "away")
	f.journal.fail(away)
	expectError(t, sub, away)
	f.journal.fail(nil)
	expect(t, sub, 1, 2)
}

func TestForgottenProjectEndsItsSubscriptions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := setup(live.Config{}, 3)
		sub := f.Subscribe(project, 3)
		var ended sync.WaitGroup
		ended.Go(func() { expectError(t, sub, live.ErrGone) })
		synctest.Wait()
		f.ForgetProject(project)
		ended.Wait()
		expectError(t, sub, live.ErrGone)
		expectError(t, f.Subscribe(project, 0), live.ErrGone)
	})
}

func TestMetricsCountSubscribersAndEntries(t *testing.T) {
	t.Parallel()
	f := setup(live.Config{MaxEntries: 2}, 5)
	sub, other := f.Subscribe(project, 0), f.Subscribe(project, 0)
	other.Close()
	other.Close()
	expect(t, sub, 1, 2, 3, 4, 5)
	expectNothing(t, sub)
	f.publish()
	f.publish()
	expect(t, sub, 6)
	const want = `
# HELP readout_live_entries_total Entries given to subscribers, by where they came from.
# TYPE readout_live_entries_total counter
readout_live_entries_total{from="journal"} 3
readout_live_entries_total{from="queue"} 1
readout_live_entries_total{from="ring"} 2
# HELP readout_live_overruns_total Queues of subscribers that were full: what was in them is read again.
# TYPE readout_live_overruns_total counter
readout_live_overruns_total 0
# HELP readout_live_queued Entries that wait in the queues of subscribers; one that waits for many counts many times.
# TYPE readout_live_queued gauge
readout_live_queued 1
# HELP readout_live_subscribers Subscriptions that are open.
# TYPE readout_live_subscribers gauge
readout_live_subscribers 1
`
	if err := testutil.CollectAndCompare(f.Hub, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	sub.Close()
	expectMetric(t, f, "readout_live_queued", 0)
}

// Subscribers of every pace, who leave and come back with their last offset, see each entry once and in order, while
// entries are published and the oldest of the ring overrun.
func TestEverySubscriberSeesEachEntryOnceInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		cfg := live.Config{MaxEntries: rapid.IntRange(1, 8).Draw(rt, "ring")}
		entries := rapid.IntRange(1, 200).Draw(rt, "entries")
		lag := rapid.IntRange(0, 3).Draw(rt, "entries committed before they are published")
		pace := rapid.IntRange(0, 3).Draw(rt, "pauses of the publisher")
		subscribers := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) subscriber {
			return subscriber{
				pauses:  rapid.IntRange(0, 3).Draw(rt, "pauses"),
				comings: rapid.IntRange(0, 4).Draw(rt, "one in so many entries it comes back"),
			}
		}), 1, 6).Draw(rt, "subscribers")

		f := setup(cfg, 0)
		var done sync.WaitGroup
		failures := make([]error, len(subscribers))
		for i, s := range subscribers {
			done.Go(func() { failures[i] = s.follow(t.Context(), f.Hub, int64(entries)) })
		}
		var committed []journal.Entry
		for range entries {
			committed = append(committed, f.journal.commit(1))
			for len(committed) > lag {
				f.Apply(committed[0])
				committed = committed[1:]
			}
			pause(pace)
		}
		for _, e := range committed {
			f.Apply(e)
		}
		done.Wait()
		if err := errors.Join(failures...); err != nil {
			rt.Fatal(err)
		}
	})
}

// Subscribers that only some series concern, while new series come to exist, are told of all that is theirs.
func TestNarrowedSubscribersMissNothingWhileSeriesComeToExist(t *testing.T) {
	t.Parallel()
	const entries, subscribers = 2000, 8
	f := setup(live.Config{MaxEntries: 16}, 0)
	var done sync.WaitGroup
	for i := range int64(subscribers) {
		done.Go(func() {
			mine := func(id int64) bool { return id%subscribers == i || id == 0 }
			if got, want := followSeries(t, f.Hub, mine), f.journal.offsetsOf(mine); !slices.Equal(got, want) {
				t.Errorf("subscriber %d got %v, want %v", i, got, want)
			}
		})
	}
	for i := range int64(entries) {
		f.publishOf(1+rand.Int64N(1+i/20), 1000+rand.Int64N(1+i/100))
		pause(2)
	}
	f.publishOf(0) // the last, which is of all
	done.Wait()
}

// followSeries returns the offsets of the entries that hold one of the series that are mine; 0 is in the last of them.
func followSeries(t *testing.T, hub *live.Hub, mine func(id int64) bool) (offsets []int64) {
	sub := hub.Subscribe(project, 0)
	defer sub.Close()
	concern := map[int64]bool{}
	for missing := sub.Narrow(concern); len(missing) > 0; missing = sub.Narrow(concern) {
		for _, id := range missing {
			concern[id] = mine(id)
		}
	}
	for {
		e, err := sub.Next(t.Context())
		if err != nil {
			t.Error(err)
			return offsets
		}
		series := seriesOf(e)
		if slices.ContainsFunc(series, mine) {
			offsets = append(offsets, e.Offset)
		}
		if slices.Contains(series, 0) {
			return offsets
		}
		sub.Decline(slices.DeleteFunc(series, mine)...)
		pause(2)
	}
}

type subscriber struct{ pauses, comings int }

var errOrder = errors.New("an entry out of order")

func (s subscriber) follow(ctx context.Context, hub *live.Hub, last int64) error {
	sub := hub.Subscribe(project, 0)
	for want := int64(1); want <= last; want++ {
		e, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		if e.Offset != want {
			return errOrder
		}
		pause(s.pauses)
		if s.comings > 0 && rand.IntN(s.comings) == 0 {
			sub.Close()
			sub = hub.Subscribe(project, want)
		}
	}
	sub.Close()
	return nil
}

// pause lets others run, about n times.
func pause(n int) {
	for range rand.IntN(n + 1) {
		runtime.Gosched()
	}
}

func TestApplyCostsTheSameHoweverFullTheRing(t *testing.T) {
	f := setup(live.Config{MaxEntries: 256}, 1000)
	e := journal.Entry{Project: project, Offset: 1000}
	publish := func() {
		e.Offset++
		f.Apply(e)
	}
	if n := testing.AllocsPerRun(100, publish); n > 1 { // the entry that all share
		t.Errorf("%v allocations an entry", n)
	}
}
