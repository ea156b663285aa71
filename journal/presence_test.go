package journal

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/readout-dev/readout/entity"
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
	hear := func(wantNew bool) {
		t.Helper()
		if isNew, isAnswer := p.heard("a", false); isNew != wantNew || isAnswer {
			t.Errorf("heard a: new %v, an answer %v", isNew, isAnswer)
		}
	}
	hear(true)
	hear(false)
	expect("a is there", true)
	look := func(wantNew, wantGone bool, listeners ...string) {
		t.Helper()
		if isNew, isGone := p.look(listeners); isNew != wantNew || isGone != wantGone {
			t.Errorf("a look at %v: somebody is new: %v, gone: %v", listeners, isNew, isGone)
		}
	}
	look(false, false, "me", "a")
	look(false, false, "me")
	expect("a was missing once", true)
	look(false, false, "me", "a")
	look(false, false, "me")
	expect("a was missing once more, but not twice in a row", true)
	look(false, true, "me")
	expect("a is gone", false)
	look(true, false, "b")
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
		if p.heard(id, false); ready(p) {
			t.Errorf("ready after %s", id)
		}
	}
	if p.heard("b", true); ready(p) {
		t.Error("ready although b may not have heard of us yet")
	}
	if p.heard("b", false); !ready(p) {
		t.Error("not ready although all have answered")
	}
	p = begin()
	if p.waitNoLonger(); !ready(p) || p.known() != 2 {
		t.Error("who does not answer must not count as gone")
	}
	if isNew, isAnswer := p.heard("a", false); isNew || !isAnswer {
		t.Error("an answer that comes late must count as one")
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
	var changed []entity.Change
	r := NewReplicas(nil, NewFollower(nil), ReplicaConfig{Changed: func(cs ...entity.Change) { changed = append(changed, cs...) }})
	me := r.presence.self
	heard := func(text, says string, looksAtAll bool, looksAt ...int64) {
		t.Helper()
		changed = nil
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
	missed := func(want bool) {
		t.Helper()
		if got := len(changed) == 1 && changed[0].Kind == entity.Missed; got != want {
			t.Errorf("told %v of changes", changed)
		}
	}
	heard("hello "+me, "", false)
	heard("hello a", saysHere, true)
	heard("hello a", saysHere, true) // it was away
	missed(false)                    // by us
	heard("here a", "", true)
	missed(false)
	heard("wrote a 7", "", false, 7)
	heard("here b", saysHere, true)
	missed(true)
	heard("wrote c 7", saysHere, true, 7)
	missed(true)
	heard("changed d dk3,7,0,1", "", false) // it need not listen
	if want := (entity.Change{Kind: entity.Deleted, Type: entity.Key, ID: 3, Project: 7, At: 1}); !slices.Equal(changed, []entity.Change{want}) {
		t.Errorf("told %v of changes, want %v", changed, want)
	}
	heard("rubbish", "", false)
	missed(true)
	r.presence.hear([]string{me, "a"}) // we were away
	heard("here a", "", true)
	missed(true)
	heard("here a", "", true)
	missed(false)
}
