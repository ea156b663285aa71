package journal_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

func TestAppendIsDurableAndKnownToTheViews(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})

	ack := r.mustAppend(t, project, at(2, 10), at(1, 20), at(1, 10))
	if want := (journal.Ack{Offset: 1, Accepted: 3, Late: 1}); ack != want {
		t.Errorf("first ack %+v, want %+v", ack, want)
	}
	ack = r.mustAppend(t, project, at(1, 30), reading.Reading{Series: 1, Time: 20, Value: -1}, at(1, 30))
	if want := (journal.Ack{Offset: 2, Accepted: 3, Late: 2}); ack != want {
		t.Errorf("second ack %+v, want %+v", ack, want)
	}

	want := [][]reading.Reading{{at(1, 10), at(1, 20), at(2, 10)}, {{Series: 1, Time: 20, Value: -1}, at(1, 30)}}
	if got := stored(t, r.pool, project); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("stored %v, want %v", got, want)
	}
	for i, e := range r.seen.of(project) {
		if !slices.Equal(e.Readings, want[i]) || time.Since(e.At) > time.Minute {
			t.Errorf("the views saw %+v, want %v", e, want[i])
		}
	}
	all := []reading.Reading{at(1, 10), {Series: 1, Time: 20, Value: -1}, at(1, 30)}
	if got := r.held(project, 1); !slices.Equal(got, all) {
		t.Errorf("the tail has %v, want %v", got, all)
	}
}

func TestAppendsThatWaitForACommitShareTheNextOne(t *testing.T) {
	t.Parallel()
	const waiting = 20
	r, project := setup(t, journal.Config{})
	other := newProject(t, r.pool)
	r.mustAppend(t, project, at(1, 1))

	release := holdUp(t, r.pool, project)
	first := r.background(t.Context(), project, at(1, 2))
	waitUntilHeldUp(t, r.pool)
	var answers []func() (journal.Ack, error)
	for i := range int64(waiting) {
		answers = append(answers, r.background(t.Context(), project, at(1, 3+i)), r.background(t.Context(), other, at(1, i)))
	}
	r.waitUntilQueued(t, 2*waiting)
	release()

	if ack, err := first(); ack.Offset != 2 || err != nil {
		t.Errorf("the held up append: %+v, %v", ack, err)
	}
	for i, answer := range answers {
		want := []int64{3, 1}[i%2]
		if ack, err := answer(); ack.Offset != want || err != nil {
			t.Errorf("an append that waited: %+v, %v; want offset %d", ack, err, want)
		}
	}
}

func TestFlushIsBounded(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{MaxFlush: 10})
	r.mustAppend(t, project, at(1, 1))
	release := holdUp(t, r.pool, project)
	answers := []func() (journal.Ack, error){r.background(t.Context(), project, at(1, 2))}
	waitUntilHeldUp(t, r.pool)
	for i := range int64(5) {
		answers = append(answers, r.background(t.Context(), project, at(2, 4*i), at(2, 4*i+1), at(2, 4*i+2), at(2, 4*i+3)))
	}
	r.waitUntilQueued(t, 20)
	release()
	for _, answer := range answers {
		if _, err := answer(); err != nil {
			t.Error(err)
		}
	}
	var sizes []int
	for _, e := range r.seen.of(project) {
		sizes = append(sizes, len(e.Readings))
	}
	if want := []int{1, 1, 8, 8, 4}; !slices.Equal(sizes, want) {
		t.Errorf("entries of %v readings, want %v", sizes, want)
	}
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{MaxQueued: 3})
	r.mustAppend(t, project, at(1, 1))
	release := holdUp(t, r.pool, project)
	first := r.background(t.Context(), project, at(1, 2))
	waitUntilHeldUp(t, r.pool)
	second := r.background(t.Context(), project, at(1, 3), at(1, 4))
	r.waitUntilQueued(t, 2)

	_, err := r.Append(t.Context(), project, []reading.Reading{at(1, 5), at(1, 6)})
	expectFault(t, err, fault.TooMany, time.Second)
	_, err = r.Append(t.Context(), project, []reading.Reading{at(1, 5), at(1, 6), at(1, 7), at(1, 8)})
	expectFault(t, err, fault.TooLarge, 0)

	release()
	for _, answer := range []func() (journal.Ack, error){first, second} {
		if _, err := answer(); err != nil {
			t.Error(err)
		}
	}
	if got := len(stored(t, r.pool, project)); got != 3 {
		t.Errorf("%d entries, want 3: nothing of what was refused", got)
	}
}

func TestAppendOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})
	if ack, err := r.Append(t.Context(), project, nil); ack != (journal.Ack{}) || err != nil {
		t.Errorf("ack %+v, %v", ack, err)
	}
}

func TestAppendWhoseContextEndsMayStillBeStored(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})
	r.mustAppend(t, project, at(1, 1))
	release := holdUp(t, r.pool, project)
	ctx, cancel := context.WithCancel(t.Context())
	answer := r.background(ctx, project, at(1, 2))
	waitUntilHeldUp(t, r.pool)
	cancel()
	_, err := answer()
	expectFault(t, err, fault.Unavailable, time.Second)
	release()
	r.seen.waitFor(project, 2)
}

func TestStopCommitsWhatIsQueuedThenRefuses(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})
	r.mustAppend(t, project, at(1, 1))
	release := holdUp(t, r.pool, project)
	answers := []func() (journal.Ack, error){r.background(t.Context(), project, at(1, 2))}
	waitUntilHeldUp(t, r.pool)
	for i := range int64(10) {
		answers = append(answers, r.background(t.Context(), project, at(1, 3+i)))
	}
	r.waitUntilQueued(t, 10)

	var stopped sync.WaitGroup
	stopped.Go(r.stop)
	release()
	stopped.Wait()
	for _, answer := range answers {
		if _, err := answer(); err != nil {
			t.Errorf("an append that was queued: %v", err)
		}
	}
	if entries := stored(t, r.pool, project); len(entries) != 3 || len(entries[2]) != 10 {
		t.Errorf("stored %v", entries)
	}
	_, err := r.Append(t.Context(), project, []reading.Reading{at(1, 99)})
	expectFault(t, err, fault.Unavailable, time.Second)
}

func TestStopGivesUpAtItsDeadline(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{DrainFor: 20 * time.Millisecond})
	r.mustAppend(t, project, at(1, 1))
	holdUp(t, r.pool, project)
	first := r.background(t.Context(), project, at(1, 2))
	waitUntilHeldUp(t, r.pool)
	second := r.background(t.Context(), project, at(1, 3))
	r.waitUntilQueued(t, 1)

	r.stop()
	for _, answer := range []func() (journal.Ack, error){first, second} {
		_, err := answer()
		expectFault(t, err, fault.Unavailable, time.Second)
	}
}

func TestAppendToAProjectThatDoesNotExistIsNotFound(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})
	deleted := newProject(t, r.pool)
	r.mustAppend(t, project, at(1, 1))
	r.mustAppend(t, deleted, at(1, 1))
	exec(t, r.pool, `delete from projects where id = $1`, deleted)

	release := holdUp(t, r.pool, project)
	first := r.background(t.Context(), project, at(1, 2))
	waitUntilHeldUp(t, r.pool)
	answers := []func() (journal.Ack, error){
		r.background(t.Context(), deleted, at(1, 2)),
		r.background(t.Context(), 404, at(1, 2)),
		r.background(t.Context(), project, at(1, 3)),
	}
	r.waitUntilQueued(t, 3)
	release() // one flush for the three

	_, err := answers[0]()
	expectFault(t, err, fault.NotFound, 0)
	_, err = answers[1]()
	expectFault(t, err, fault.NotFound, 0)
	for _, answer := range []func() (journal.Ack, error){first, answers[2]} {
		if _, err := answer(); err != nil {
			t.Error(err)
		}
	}
	for _, gone := range []int64{deleted, 404} {
		if _, ok := r.follower.Applied(gone); ok {
			t.Errorf("project %d is still followed", gone)
		}
		if _, state := r.tail.Latest(gone, 1); state != tail.None {
			t.Errorf("project %d still has a tail", gone)
		}
	}
}

func TestAppendMakesAMissingPartition(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})
	exec(t, r.pool, `do $$ declare part regclass; begin
		for part in select inhrelid::regclass from pg_inherits where inhparent = 'journal'::regclass loop
			execute 'drop table ' || part;
		end loop; end $$`)
	if ack := r.mustAppend(t, project, at(1, 1)); ack.Offset != 1 {
		t.Errorf("offset %d, want 1", ack.Offset)
	}
}
