package journal

import (
	"slices"
	"testing"

	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/store"
)

func TestNoticesSayTheSameWhenTheyArrive(t *testing.T) {
	t.Parallel()
	many := make([]int64, 5000)
	for i := range many {
		many[i] = int64(i) << 40
	}
	changes := make([]entity.Change, 1000)
	for i := range changes {
		changes[i] = entity.Change{Kind: entity.Created, Type: entity.Series, ID: int64(i) << 40, Project: 1 << 40, At: 1 << 50}
	}
	for _, n := range []notice{
		{kind: saysHello, from: "a"},
		{kind: saysHere, from: "b"},
		{kind: saysWrote, from: "c", projects: []int64{1, -2}},
		{kind: saysWrote, from: "2f1c9a6e-8c7b-4f0e-9a53-6f3b5a1e0d11", projects: many},
		{kind: saysChanged, from: "d", changes: []entity.Change{entity.MissedAll()}},
		{kind: saysChanged, from: "e", changes: changes},
	} {
		var projects []int64
		var changes []entity.Change
		for _, text := range n.texts() {
			got, ok := parseNotice(text)
			if !ok || got.kind != n.kind || got.from != n.from || len(text) > store.MaxNotice {
				t.Fatalf("%d bytes became %+v, %v", len(text), got, ok)
			}
			projects = append(projects, got.projects...)
			changes = append(changes, got.changes...)
		}
		if !slices.Equal(projects, n.projects) {
			t.Errorf("%s: %d projects became %d", n.kind, len(n.projects), len(projects))
		}
		if !slices.Equal(changes, n.changes) {
			t.Errorf("%s: %d changes became %d", n.kind, len(n.changes), len(changes))
		}
	}
}

func TestWhatIsNoNoticeIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "hello", "goodbye a", "wrote a 1 x", "wrote a 99999999999999999999", "changed a cs1"} {
		if n, ok := parseNotice(text); ok {
			t.Errorf("%q became %+v", text, n)
		}
	}
}

func TestOutboxSaysTheLeastThatMeansAll(t *testing.T) {
	t.Parallel()
	o := newOutbox("me")
	expect := func(want ...string) {
		t.Helper()
		var got []string
		for _, n := range o.take() {
			got = append(got, n.texts()...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	o.wrote(7)
	o.wrote(7)
	expect("wrote me 7")
	expect()
	o.wrote(7)
	o.say(saysHere)
	o.changed(entity.Change{Kind: entity.Updated, Type: entity.User, ID: 5, User: 5, At: 1})
	expect("here me", "changed me uu5,0,5,1")
	o.say(saysHere)
	o.say(saysHello)
	expect("hello me")
	for p := range int64(outboxProjects + 2) {
		o.wrote(p)
	}
	expect("here me")
}
