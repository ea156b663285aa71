package journal

import (
	"slices"
	"testing"

	"github.com/readout-dev/readout/store"
)

func TestNoticesSayTheSameWhenTheyArrive(t *testing.T) {
	t.Parallel()
	many := make([]int64, 5000)
	for i := range many {
		many[i] = int64(i) << 40
	}
	for _, n := range []notice{
		{kind: saysHello, from: "a"},
		{kind: saysHere, from: "b"},
		{kind: saysWrote, from: "c", projects: []int64{1, -2}},
		{kind: saysWrote, from: "2f1c9a6e-8c7b-4f0e-9a53-6f3b5a1e0d11", projects: many},
	} {
		var projects []int64
		for _, text := range n.texts() {
			got, ok := parseNotice(text)
			if !ok || got.kind != n.kind || got.from != n.from || len(text) > store.MaxNotice {
				t.Fatalf("%d bytes became %+v, %v", len(text), got, ok)
			}
			projects = append(projects, got.projects...)
		}
		if !slices.Equal(projects, n.projects) {
			t.Errorf("%s: %d projects became %d", n.kind, len(n.projects), len(projects))
		}
	}
}

func TestWhatIsNoNoticeIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "hello", "goodbye a", "wrote a 1 x", "wrote a 99999999999999999999"} {
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
	expect("here me")
	o.say(saysHere)
	o.say(saysHello)
	expect("hello me")
	for p := range int64(outboxProjects + 2) {
		o.wrote(p)
	}
	expect("here me")
}
