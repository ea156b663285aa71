package entity_test

import (
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/readout-dev/readout/entity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// change is an update of something in project 1, told at the moment of its id.
func change(typ entity.Type, id int64) entity.Change {
	return entity.Change{Kind: entity.Updated, Type: typ, ID: id, Project: 1, At: id}
}

// told returns what a watch was told of, by the kinds' and ids' sake, and wants its wake to say so.
func told(t *testing.T, w *entity.Watch) []entity.Change {
	t.Helper()
	woken := len(w.Wake()) > 0
	if woken {
		<-w.Wake()
	}
	got := w.Take()
	if woken != (len(got) > 0) {
		t.Errorf("woken: %v, told: %d", woken, len(got))
	}
	return got
}

func expect(t *testing.T, w *entity.Watch, want ...entity.Change) {
	t.Helper()
	if got := told(t, w); !slices.Equal(got, want) {
		t.Errorf("told of %+v, want %+v", got, want)
	}
}

func TestWatchIsToldOfWhatConcernsIt(t *testing.T) {
	t.Parallel()
	var (
		device  = change(entity.Device, 2)
		key     = change(entity.Key, 3)
		ada     = entity.Change{Kind: entity.Updated, Type: entity.User, ID: 4, User: 4, At: 4}
		joins   = entity.Change{Kind: entity.Created, Type: entity.Member, ID: 5, Project: 1, User: 4, At: 5}
		leaves  = entity.Change{Kind: entity.Deleted, Type: entity.Member, ID: 6, Project: 9, User: 4, At: 6}
		deleted = entity.Change{Kind: entity.Deleted, Type: entity.Project, ID: 1, Project: 1, At: 7}
		missed  = entity.Change{Kind: entity.Missed, Project: 1, At: 8}
		all     = entity.Change{Kind: entity.Missed, At: 9}
		every   = []entity.Change{device, key, ada, joins, leaves, deleted, missed, all}
	)
	f := func(name string, in entity.Interest, want ...entity.Change) {
		t.Helper()
		var bus entity.Bus
		w := bus.Watch(in)
		defer w.Close()
		bus.Publish(every...)
		if got := told(t, w); !slices.Equal(got, want) {
			t.Errorf("%s: told of %+v, want %+v", name, got, want)
		}
	}
	f("everything", entity.Interest{}, every...)
	f("a project", entity.Interest{Projects: []int64{1}}, device, key, ada, joins, deleted, missed, all)
	f("another", entity.Interest{Projects: []int64{2}}, ada, all)
	f("several", entity.Interest{Projects: []int64{2, 9, 1, 8}}, every...)
	f("one type", entity.Interest{Projects: []int64{1}, Types: entity.Device}, device, deleted, missed, all)
	f("types of all projects", entity.Interest{Types: entity.Key | entity.User}, key, ada, deleted, missed, all)
	f("a person", entity.Interest{Projects: []int64{2}, Types: entity.Device, User: 4}, joins, leaves, all)
	f("a person who sees it anyway", entity.Interest{User: 4}, every...)
	f("somebody else", entity.Interest{Projects: []int64{2}, Types: entity.Device, User: 5}, all)
}

func TestClosedWatchIsToldOfNothing(t *testing.T) {
	t.Parallel()
	var bus entity.Bus
	in := entity.Interest{Projects: []int64{1}, User: 4}
	w, other := bus.Watch(in), bus.Watch(in)
	w.Close()
	w.Close()
	bus.Publish(change(entity.Device, 1))
	expect(t, w)
	expect(t, other, change(entity.Device, 1))
	other.Close()
	bus.Publish()
}

func TestHearerIsToldOfAllBeforePublishReturns(t *testing.T) {
	t.Parallel()
	var bus entity.Bus
	var heard []entity.Change
	stop := bus.Hear(func(changes []entity.Change) { heard = append(heard, changes...) })
	bus.Publish(change(entity.Device, 1), change(entity.Key, 2))
	stop()
	bus.Publish(change(entity.Device, 3))
	if want := []entity.Change{change(entity.Device, 1), change(entity.Key, 2)}; !slices.Equal(heard, want) {
		t.Errorf("heard %+v, want %+v", heard, want)
	}
}

// Who does not look is told of less, but never that nothing was missed.
func TestTooManyChangesBecomeOnesThatWereMissed(t *testing.T) {
	t.Parallel()
	var bus entity.Bus
	w := bus.Watch(entity.Interest{})
	defer w.Close()
	joins := entity.Change{Kind: entity.Created, Type: entity.Member, ID: 5, Project: 1, User: 4, At: 5}
	bus.Publish(joins)
	for id := range int64(5000) {
		c := change(entity.Series, id)
		c.Project = 1 + id%2
		bus.Publish(c)
	}
	got := told(t, w)
	for i := range got[1:] {
		got[1+i].At = 0
	}
	in := func(project int64) entity.Change { return entity.Change{Kind: entity.Missed, Project: project} }
	if want := []entity.Change{joins, in(1), in(2)}; !slices.Equal(got, want) {
		t.Errorf("told of %d changes, the first ones %+v; want %+v", len(got), got[:min(len(got), 5)], want)
	}
	expect(t, w)

	for id := range int64(5000) {
		bus.Publish(entity.Change{Kind: entity.Created, Type: entity.Member, ID: id, Project: 1, User: id, At: id})
	}
	got = told(t, w)
	got[0].At = 0
	if !slices.Equal(got, []entity.Change{in(0)}) {
		t.Errorf("told of %d changes, the first %+v; want that all were missed", len(got), got[0])
	}
	bus.Publish(joins)
	expect(t, w, joins)
}

func TestTellingDoesNotDependOnThoseWhomItDoesNotConcern(t *testing.T) {
	var bus entity.Bus
	for project := range int64(10_000) {
		w := bus.Watch(entity.Interest{Projects: []int64{2 + project}, User: 1 + project})
		t.Cleanup(w.Close)
	}
	mine := bus.Watch(entity.Interest{Projects: []int64{1}})
	t.Cleanup(mine.Close)
	one := testing.Benchmark(func(b *testing.B) {
		for range b.N {
			bus.Publish(change(entity.Device, 1))
			mine.Take()
		}
	})
	if one.NsPerOp() > 20_000 {
		t.Errorf("a change takes %d ns", one.NsPerOp())
	}
}
