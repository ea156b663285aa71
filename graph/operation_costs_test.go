package graph

import (
	"testing"

	"github.com/readout-dev/readout/auth"
)

func TestCostsArePutDownToPeopleAndProjects(t *testing.T) {
	t.Parallel()
	r := operations{Resolver: &Resolver{Costs: auth.NewRate(1)}} // 60 a minute
	person := auth.NewContext(t.Context(), &auth.Principal{Kind: auth.User, User: 1})
	key := auth.NewContext(t.Context(), &auth.Principal{Kind: auth.ProjectKey, Project: 2, Key: 3})
	sibling := auth.NewContext(t.Context(), &auth.Principal{Kind: auth.DeviceKey, Project: 2, Key: 4})
	live := new(reads).within(key)

	if wait := r.charge(person, 1000); wait != 0 {
		t.Errorf("the first operation waits for %v", wait)
	}
	if wait := r.charge(person, 1); wait <= 0 {
		t.Error("who has overdrawn does not wait")
	}
	for range 10 {
		if wait := r.charge(live, 1000); wait != 0 {
			t.Errorf("a live query waits for %v", wait)
		}
	}
	if wait := r.charge(key, 1000); wait != 0 {
		t.Errorf("another's operation waits for %v", wait)
	}
	if wait := r.charge(sibling, 1); wait <= 0 {
		t.Error("another key of the project does not wait")
	}
	none := operations{Resolver: &Resolver{}}
	if wait := none.charge(person, 1<<40); wait != 0 {
		t.Errorf("without a limit: %v", wait)
	}
}
