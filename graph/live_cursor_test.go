package graph_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/graph"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/scalar"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/stats"
)

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.pool.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

// lose takes the last entries from our journal, as a restore from a backup does and a failover that lacks some commits, and
// starts the server on the rest.
func (w *world) lose(behind int64) {
	w.t.Helper()
	w.exec(`delete from journal where project_id = $1 and "offset" > $2`, w.ours.project, behind)
	w.exec(`update journal_head set head = $2 where project_id = $1`, w.ours.project, behind)
	w.serve()
}

// pack says that the entries up to an offset are packed, and starts the server on that.
func (w *world) pack(upto int64) {
	w.t.Helper()
	w.exec(`insert into packing values ($1, $2) on conflict (project_id) do update set packed_to = $2`, w.ours.project, upto)
	w.serve()
}

// drop is pack where the journal does not keep what is packed.
func (w *world) drop(upto int64) {
	w.t.Helper()
	w.exec(`delete from journal where project_id = $1 and "offset" <= $2`, w.ours.project, upto)
	w.pack(upto)
}

// cursors sends so many entries, from the first second on, and returns the cursor behind each of them.
func (w *world) cursors(n int) (cursors []string) {
	l := w.shared(graph.ReadingArguments{})
	for i := range n {
		w.send(w.ours.series, i+1)
		_, mark := l.next()
		cursors = append(cursors, mark.Cursor)
	}
	return cursors
}

// goesOn opens what is behind a cursor, as argument and as the transport's, and wants its first event, or that it is refused.
func (w *world) goesOn(cursor, want string) {
	w.t.Helper()
	after, err := scalar.UnmarshalCursor(cursor)
	if err != nil {
		w.t.Fatal(err)
	}
	argument, err := w.tryOpen(temperature(), graph.ReadingArguments{After: &after}, transport.Part{})
	w.expectFirst(argument, err, want)
	header, err := w.tryOpen(temperature(), graph.ReadingArguments{}, transport.Part{After: cursor})
	w.expectFirst(header, err, want)
}

const (
	refused  = "refused"
	upToDate = ""
)

func (w *world) expectFirst(stream transport.Stream[*gql.ReadingEvent], err error, want string) {
	w.t.Helper()
	var first *gql.ReadingEvent
	if err == nil {
		defer stream.Close()
		first, _, err = stream.Next(w.t.Context())
	}
	switch {
	case want == refused && fault.Is(err, fault.NotFound):
	case want == refused || err != nil:
		w.t.Errorf("got %+v, %v, want %q", first, err, want)
	case told(first) != want || first.CaughtUp != (want == upToDate):
		w.t.Errorf("got %q, want %q", told(first), want)
	}
}

func TestCursorOfEntriesThatAreLostIsRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	cursors := w.cursors(7)
	w.lose(3)
	for _, second := range []int{13, 14, 15} {
		w.send(w.ours.series, second)
	}
	f := func(after ...string) {
		t.Helper()
		for i, want := range after {
			w.goesOn(cursors[i+2], want)
		}
	}
	f("13, 14, 15", refused, refused, refused, refused) // the last has not come again
	w.serve()
	f("13, 14, 15", refused, refused, refused, refused)
	w.pack(6)
	f("13, 14, 15", refused, refused, refused, refused)
	w.send(w.ours.series, 16)
	f("13, 14, 15, 16", refused, refused, refused, refused)
}

func TestCursorGoesOnAfterRestartsAndWithoutItsEntry(t *testing.T) {
	t.Parallel()
	w := setup(t)
	cursors := w.cursors(6)
	for _, restart := range []func(){w.serve, func() { w.pack(2) }, func() { w.pack(5) }, func() { w.drop(3) }} {
		restart()
		w.goesOn(cursors[2], "4, 5, 6")
		w.goesOn(cursors[4], "6")
		w.goesOn(cursors[5], upToDate)
	}
	w.drop(6)
	w.goesOn(cursors[2], refused)
	w.goesOn(cursors[5], upToDate)
	w.send(w.ours.series, 7)
	w.goesOn(cursors[5], "7")
}

// The cursor of whatever an event tells, and of where one has come who is told nothing.
func TestEveryCursorTellsOneHistoryFromAnother(t *testing.T) {
	t.Parallel()
	policy, from, room := gql.LagPolicyCoalesce, base, "2"
	nothing := db.SeriesWhereInput{Unit: &room}
	next := func(l *pulled) string {
		_, mark := l.next()
		return mark.Cursor
	}
	for name, cursor := range map[string]func(*world) string{
		"readings": func(w *world) string {
			l := w.shared(graph.ReadingArguments{})
			w.send(w.ours.series, 3)
			return next(l)
		},
		"newcomer": func(w *world) string {
			_, mark, _ := w.shared(graph.ReadingArguments{}).stream.First(w.t.Context(), false)
			return mark.Cursor
		},
		"heartbeat": func(w *world) string {
			return next(w.shared(graph.ReadingArguments{Heartbeat: &stats.Period{Time: time.Second}}))
		},
		"heartbeat behind others": func(w *world) string {
			l := w.open(nothing, graph.ReadingArguments{Heartbeat: &stats.Period{Time: time.Second}}, transport.Part{Shared: true})
			l.nothing()
			w.send(w.ours.series, 3)
			return next(l)
		},
		"caught up": func(w *world) string {
			l := w.open(temperature(), graph.ReadingArguments{From: &from}, transport.Part{})
			l.next()
			return next(l)
		},
		"caught up with what is packed": func(w *world) string {
			w.pack(2)
			return next(w.open(temperature(), graph.ReadingArguments{}, transport.Part{}))
		},
		"gap": func(w *world) string {
			return next(w.open(temperature(), graph.ReadingArguments{OnLag: &policy}, transport.Part{Behind: true, Place: 1}))
		},
		"behind a gap": func(w *world) string {
			w.send(w.ours.series, 3)
			e, _ := w.open(temperature(), graph.ReadingArguments{OnLag: &policy}, transport.Part{Behind: true, Place: 2}).next()
			return textOf(e.Gap.After)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.send(w.ours.series, 1)
			w.send(w.ours.series, 2)
			c := cursor(w)
			w.lose(1)
			for second := range 5 {
				w.send(w.ours.series, second)
			}
			w.goesOn(c, refused)
		})
	}
}

// Another server has written the entry, and this one is told of it later.
func TestCursorOfAnEntryThatIsNotHeardOfYet(t *testing.T) {
	t.Parallel()
	w := setup(t)
	cursors := w.cursors(3)
	other := *w
	w.serve()
	w.goesOn(cursors[2], upToDate) // it follows the project now
	l := other.shared(graph.ReadingArguments{})
	f := func(want string) {
		t.Helper()
		other.send(w.ours.series, 4)
		_, mark := l.next()
		if want == refused {
			w.exec(`update journal set at = at + interval '1 microsecond' where project_id = $1 and "offset" = $2`, w.ours.project, mark.Place)
		}
		heard := time.AfterFunc(50*time.Millisecond, func() {
			if err := w.graph.Journal.(*journal.Follower).CatchUp(t.Context(), w.ours.project); err != nil {
				t.Error(err)
			}
		})
		defer heard.Stop()
		w.goesOn(mark.Cursor, want)
	}
	f(upToDate)
	f(refused)
}

func TestLostHistoryIsToldToClients(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.subscribe("viewer", `series: {}`)
	s.next()
	w.send(w.ours.series, 1)
	last := s.next()
	s.conn.Close()
	w.lose(0)
	w.send(w.ours.series, 2)
	w.send(w.ours.series, 3)
	if e := w.subscribe("viewer", `series: {}, after: "`+*last.Cursor+`"`).next(); e.code != "NOT_FOUND" {
		t.Errorf("got %+v", e)
	}
}

func TestCursorIsTakenForNoOther(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.cursors(1)[0]
	after, err := scalar.UnmarshalCursor(c)
	if err != nil {
		t.Fatal(err)
	}
	value := after.Value.([]byte)
	for name, other := range map[string]graph.Cursor{
		"another project": {ID: w.theirs.project, Value: value},
		"another place":   {ID: after.ID, Value: slices.Concat([]byte{1}, value[1:])},
		"another time":    {ID: after.ID, Value: slices.Concat(value[:15], []byte{value[15] ^ 1}, value[16:])},
		"no time":         {ID: after.ID, Value: slices.Concat(value[:8], value[16:])},
		"not bytes":       {ID: after.ID, Value: strings.Repeat("a", len(value))},
	} {
		if _, err := w.tryOpen(temperature(), graph.ReadingArguments{After: &other}, transport.Part{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	theirs := w.graph.Cursors.InJournal(w.theirs.project, 1, 0)
	if _, err := w.tryOpen(temperature(), graph.ReadingArguments{After: theirs}, transport.Part{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("of another project: got %v", err)
	}
}
