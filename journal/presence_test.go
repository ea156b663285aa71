package journal

import (
	"slices"
	"sync/atomic"
	"testing"
)

func TestPresenceCountsWithOthersUntilTheyAreMissingTwice(t *testing.T) {
	t.Parallel()
	var shared atomic.Bool
	p := newPresence("me", &shared)
	expect := func(when string, want bool) {
		t.Helper()
		if shared.Load() != want {
			t.Errorf("%s: shared is %v", when, !want)
		}
	}
	ready := func() bool {
		select {
		case <-p.ready:
			return true
		default:
			return false
		}
	}
	expect("before anything is heard", true)
	p.hear([]string{"me"})
	expect("alone", false)
	if !ready() {
		t.Error("not ready although there is nobody to wait for")
	}
	if !p.heard("a") || p.heard("a") {
		t.Error("a is new at its first notice only")
	}
	expect("a is there", true)
	if p.look([]string{"me", "a"}) || p.look([]string{"me"}) {
		t.Error("somebody is new in a look who was heard")
	}
	expect("a was missing once", true)
	p.look([]string{"me", "a"})
	p.look([]string{"me"})
	expect("a was missing once more, but not twice in a row", true)
	p.look([]string{"me"})
	expect("a is gone", false)
	if !p.look([]string{"b"}) {
		t.Error("b is not new")
	}
	expect("b is there", true)
	p.look(nil)
	p.look(nil)
	p.deafen()
	expect("nothing is heard", true)
	if p.known() != 0 {
		t.Errorf("%d others are known", p.known())
	}
}

func TestPresenceIsReadyWhenAllHaveAnsweredOrNobodyWaitsAnyLonger(t *testing.T) {
	t.Parallel()
	ready := func(p *presence) bool {
		select {
		case <-p.ready:
			return true
		default:
			return false
		}
	}
	begin := func() *presence {
		p := newPresence("me", new(atomic.Bool))
		p.hear([]string{"a", "me", "b"})
		return p
	}
	p := begin()
	for _, id := range []string{"a", "c"} {
		if p.heard(id); ready(p) {
			t.Errorf("ready after %s", id)
		}
	}
	if p.heard("b"); !ready(p) {
		t.Error("not ready although all have answered")
	}
	p = begin()
	if p.waitNoLonger(); !ready(p) || p.known() != 2 {
		t.Error("who does not answer must not count as gone")
	}
	p = begin()
	p.deafen()
	if p.waitNoLonger(); ready(p) {
		t.Error("ready without hearing anything")
	}
}

// What a replica has committed before it knew of another it has not told: each side must look for all of it once.
func TestReplicasThatMeetLookForAllAndAnswer(t *testing.T) {
	t.Parallel()
	r := NewReplicas(nil, NewFollower(nil), ReplicaConfig{})
	me := r.presence.self
	heard := func(text, says string, looksAtAll bool, looksAt ...int64) {
		t.Helper()
		r.heard(text)
		said := ""
		for _, n := range r.outbox.take() {
			said += n.kind
		}
		if said != says {
			t.Errorf("%q: it says %q, want %q", text, said, says)
		}
		all, some := r.inbox.take()
		if all != looksAtAll || !slices.Equal(some, looksAt) {
			t.Errorf("%q: it looks at all: %v, at %v; want %v, %v", text, all, some, looksAtAll, looksAt)
		}
	}
	heard("hello "+me, "", false)
	heard("hello a", saysHere, true)
	heard("hello a", saysHere, true) // it was away
	heard("here a", "", true)
	heard("wrote a 7", "", false, 7)
	heard("here b", saysHere, true)
	heard("wrote c 7", saysHere, true, 7)
	heard("rubbish", "", false)
}
