package graph

import (
	"testing"
	"testing/synctest"

	"github.com/readout-dev/readout/entity"
)

// A device goes with all of its series in one transaction.
func TestStreamsAreToldOnceOfManyChanges(t *testing.T) {
	t.Parallel()
	r, told := &Resolver{Entities: new(entity.Bus)}, 0
	p := &place{project: 1, interrupt: func() { told++ }}
	r.places.of = map[int64]map[*place]struct{}{1: {p: {}}}
	defer r.hear()()
	changes := make([]entity.Change, 1000)
	for i := range changes {
		changes[i] = entity.Change{Kind: entity.Deleted, Type: entity.Series, ID: int64(i), Project: 1}
	}
	r.Entities.Publish(changes...)
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// The sweep may end a hold long after its last user has gone, when somebody else has another of the same right.
func TestEndOfAnOldHoldLeavesTheNewOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		what := right{user: 1, project: 2}
		old, other := &hold{right: what}, &hold{right: what}
		r := &rights{held: map[right]*hold{what: other}}
		if r.end(old); r.held[what] != other || other.ended.Load() {
			t.Error("the new hold is gone")
		}
		if r.end(other); r.held[what] != nil {
			t.Error("it is held after its end")
		}
	})
}
