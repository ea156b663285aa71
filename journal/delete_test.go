package journal_test

import (
	"slices"
	"testing"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

func TestDeleteIsDurableAndKnownToTheViews(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})
	r.mustAppend(t, project, at(1, 1), at(1, 2), at(1, 3), at(2, 1))
	ds := []reading.Deletion{{Series: 1, From: 2, To: 3}, reading.DeleteAll(2)}
	ack, err := r.Delete(t.Context(), project, append(ds, reading.Deletion{Series: 1, From: 3, To: 3}))
	if want := (journal.Ack{Offset: 2}); ack != want || err != nil {
		t.Errorf("ack %+v, %v; want %+v", ack, err, want)
	}
	if got, want := r.held(project, 1), []reading.Reading{at(1, 1), at(1, 3)}; !slices.Equal(got, want) {
		t.Errorf("the tail has %v, want %v", got, want)
	}
	if _, state := r.tail.Latest(project, 2); state != tail.None {
		t.Errorf("a series that lost all has a newest reading, state %d", state)
	}
	if got := r.seen.of(project)[1]; !slices.Equal(got.Deletions, ds) || got.Readings != nil {
		t.Errorf("the views saw %+v, want the deletions %v", got, ds)
	}

	second := start(t, r.pool, journal.Config{}) // reads it from the database
	if err := second.follower.Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	if got := second.seen.of(project); len(got) != 2 || !slices.Equal(got[1].Deletions, ds) {
		t.Errorf("another replica saw %+v, want the deletions %v", got, ds)
	}
}

func TestDeleteOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})
	if ack, err := r.Delete(t.Context(), project, []reading.Deletion{{Series: 1, From: 5, To: 5}}); ack != (journal.Ack{}) || err != nil {
		t.Errorf("ack %+v, %v", ack, err)
	}
}

func TestDeleteIsBounded(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})
	many := make([]reading.Deletion, reading.MaxDeletions+1)
	for i := range many {
		many[i] = reading.DeleteAll(int64(i))
	}
	_, err := r.Delete(t.Context(), project, many)
	expectFault(t, err, fault.TooLarge, 0)
}

// All of them wait for a commit. Readings of before and behind a deletion must not meet it in one entry, or change places
// with it; other projects share the commits.
func TestDeletionKeepsItsPlaceAmongReadings(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})
	other := newProject(t, r.pool)
	r.mustAppend(t, project, at(1, 1))
	r.mustAppend(t, other, at(1, 1))
	release := holdUp(t, r.pool, project)
	answers := []func() (journal.Ack, error){r.background(t.Context(), project, at(1, 2))}
	waitUntilHeldUp(t, r.pool)
	queued := 0.0
	queue := func(answer func() (journal.Ack, error)) {
		answers = append(answers, answer)
		queued++
		r.waitUntilQueued(t, queued)
	}
	all := func() func() (journal.Ack, error) {
		return inBackground(func() (journal.Ack, error) {
			return r.Delete(t.Context(), project, []reading.Deletion{reading.DeleteAll(1)})
		})
	}
	queue(r.background(t.Context(), project, at(1, 3)))
	queue(r.background(t.Context(), other, at(1, 2)))
	queue(all())
	queue(r.background(t.Context(), other, at(1, 3)))
	queue(r.background(t.Context(), project, at(1, 4)))
	queue(r.background(t.Context(), project, at(1, 5)))
	queue(all())
	queue(all())
	queue(r.background(t.Context(), project, at(1, 6)))
	release()
	var offsets []int64
	for _, answer := range answers {
		ack, err := answer()
		if err != nil {
			t.Fatal(err)
		}
		offsets = append(offsets, ack.Offset)
	}
	if want := []int64{2, 3, 2, 4, 3, 5, 5, 6, 7, 8}; !slices.Equal(offsets, want) {
		t.Errorf("offsets %v, want %v", offsets, want)
	}
	if got, want := r.held(project, 1), []reading.Reading{at(1, 6)}; !slices.Equal(got, want) {
		t.Errorf("the tail has %v, want %v", got, want)
	}
}

func TestDeletesThatWaitAreRefusedWhenTheServerStops(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{DrainFor: 20 * time.Millisecond})
	r.mustAppend(t, project, at(1, 1))
	holdUp(t, r.pool, project)
	answers := []func() (journal.Ack, error){r.background(t.Context(), project, at(1, 2))}
	waitUntilHeldUp(t, r.pool)
	for range 3 {
		answers = append(answers, inBackground(func() (journal.Ack, error) {
			return r.Delete(t.Context(), project, []reading.Deletion{reading.DeleteAll(1)})
		}))
	}
	r.waitUntilQueued(t, 3)
	r.stop()
	for _, answer := range answers {
		_, err := answer()
		expectFault(t, err, fault.Unavailable, time.Second)
	}
}
