package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/predicate"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// halls is a database with a series for each of some values of the label room, and one without it.
type halls struct {
	ctx    context.Context
	client *db.Client
	names  map[int64]string // by id; "none" has no label room
}

func newHalls(t *testing.T, rooms ...string) *halls {
	t.Helper()
	client := store.Client(testdb.New(t))
	t.Cleanup(func() { _ = client.Close() })
	h := &halls{auth.NewContext(t.Context(), auth.System()), client, map[int64]string{}}
	p := client.Project.Create().SetName("p").SaveX(h.ctx)
	d := client.Device.Create().SetProject(p).SetName("d").SaveX(h.ctx)
	for _, room := range rooms {
		h.names[client.Series.Create().SetProject(p).SetDevice(d).SetMetric("m").SetLabels(map[string]string{"room": room}).SaveX(h.ctx).ID] = room
	}
	h.names[client.Series.Create().SetProject(p).SetDevice(d).SetMetric("m").SetLabels(map[string]string{"Room": "2", "ro": "om"}).SaveX(h.ctx).ID] = "none"
	return h
}

// rooms returns those that the condition holds for, in the order in which they were made.
func (h *halls) rooms(where predicate.Series) (rooms []string) {
	for _, id := range h.client.Series.Query().Where(where).Order(series.ByID()).IDsX(h.ctx) {
		rooms = append(rooms, h.names[id])
	}
	return rooms
}

func ptr[T any](v T) *T { return &v }

func TestLabelFilterMatchesToTheLetter(t *testing.T) {
	t.Parallel()
	h := newHalls(t, "", "2", "22", "hall%", "hall_1", "hallo", `h\all`, "Hall%", "'; drop table series; --", "a\tb")
	f := func(filter store.LabelFilter, want ...string) {
		t.Helper()
		filter.Label = "room"
		where, err := filter.Predicate()
		if err != nil {
			t.Fatal(err)
		}
		if got := h.rooms(where); !slices.Equal(got, want) {
			t.Errorf("%+v: got %q, want %q", filter, got, want)
		}
		var others []string
		for _, room := range h.rooms(series.Or(where, series.Not(where))) {
			if !slices.Contains(want, room) {
				others = append(others, room)
			}
		}
		if got := h.rooms(series.Not(where)); !slices.Equal(got, others) || len(got)+len(want) != len(h.names) {
			t.Errorf("not %+v: got %q, want the others", filter, got)
		}
	}
	f(store.LabelFilter{Equals: ptr("2")}, "2")
	f(store.LabelFilter{Equals: ptr("")}, "")
	f(store.LabelFilter{Equals: ptr("3")})
	f(store.LabelFilter{Equals: ptr("'; drop table series; --")}, "'; drop table series; --")
	f(store.LabelFilter{In: []string{"22", "2", "2", "x"}}, "2", "22")
	f(store.LabelFilter{In: []string{}})
	f(store.LabelFilter{Prefix: ptr("hall%")}, "hall%")
	f(store.LabelFilter{Prefix: ptr("hall_")}, "hall_1")
	f(store.LabelFilter{Prefix: ptr(`h\`)}, `h\all`)
	f(store.LabelFilter{Prefix: ptr("h")}, "hall%", "hall_1", "hallo", `h\all`)
	f(store.LabelFilter{Prefix: ptr("")}, "", "2", "22", "hall%", "hall_1", "hallo", `h\all`, "Hall%", "'; drop table series; --", "a\tb")
	f(store.LabelFilter{Prefix: ptr(strings.Repeat("%", 1000))})
	f(store.LabelFilter{Matches: ptr("hall.")}, "hall%", "hallo")
	f(store.LabelFilter{Matches: ptr("")}, "")
	f(store.LabelFilter{Matches: ptr("2|(?i)HALL.?")}, "2", "hall%", "hallo", "Hall%")
	f(store.LabelFilter{Present: ptr(true)}, "", "2", "22", "hall%", "hall_1", "hallo", `h\all`, "Hall%", "'; drop table series; --", "a\tb")
	f(store.LabelFilter{Present: ptr(false)}, "none")
	f(store.LabelFilter{Prefix: ptr("hall"), Matches: ptr(".{5}"), In: []string{"hall%", "2"}}, "hall%")
	f(store.LabelFilter{Present: ptr(false), Equals: ptr("2")})
}

func TestLabelIsNamedToTheLetter(t *testing.T) {
	t.Parallel()
	h := newHalls(t, "2")
	for label, want := range map[string]int{"room": 1, "Room": 1, "ro": 1, "ROOM": 0, "roo": 0, "0": 0, "$.room": 0, "room'": 0, `{"room"}`: 0, "": 0} {
		where, err := store.LabelFilter{Label: label, Present: ptr(true)}.Predicate()
		if err != nil {
			t.Fatal(err)
		}
		if got := h.rooms(where); len(got) != want {
			t.Errorf("%q: got %q, want %d", label, got, want)
		}
	}
}

func TestListOfManyValuesIsOneParameter(t *testing.T) {
	t.Parallel()
	h := newHalls(t, "2")
	many := make([]string, 70_000) // a statement has 65,535 parameters at most
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	where, err := store.LabelFilter{Label: "room", In: many}.Predicate()
	if err != nil {
		t.Fatal(err)
	}
	if got := h.rooms(where); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

func TestNoSeriesIsFalse(t *testing.T) {
	t.Parallel()
	h := newHalls(t, "2")
	if got := h.rooms(store.NoSeries); len(got) != 0 {
		t.Errorf("got %q", got)
	}
	if got := h.rooms(series.Not(store.NoSeries)); len(got) != 2 {
		t.Errorf("not: got %q", got)
	}
}

func TestLabelFilterWithoutConditionIsRefused(t *testing.T) {
	t.Parallel()
	for _, f := range []store.LabelFilter{{}, {Label: "room"}, {Label: "room", Matches: ptr("(")}} {
		if _, err := f.Predicate(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: got %v", f, err)
		}
	}
}
