package graph_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/graph"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// pulled is a part of a subscription to readings, pulled as its execution does.
type pulled struct {
	t      *testing.T
	stream transport.Stream[*gql.ReadingEvent]
}

// temperature is the filter that our series matches, and more of that metric.
func temperature() db.SeriesWhereInput {
	metric := "temperature"
	return db.SeriesWhereInput{Metric: &metric}
}

// open opens a part with the rights that are shared.
func (w *world) open(where db.SeriesWhereInput, arguments graph.ReadingArguments, part transport.Part) *pulled {
	w.t.Helper()
	stream, err := w.tryOpen(where, arguments, part)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(stream.Close)
	return &pulled{w.t, stream}
}

func (w *world) tryOpen(where db.SeriesWhereInput, arguments graph.ReadingArguments, part transport.Part) (transport.Stream[*gql.ReadingEvent], error) {
	ctx := auth.NewContext(w.t.Context(), auth.Reader(w.ours.project))
	return w.graph.OpenReadings(ctx, w.ours.project, where, arguments, part)
}

// shared opens what is shared, of our metric.
func (w *world) shared(arguments graph.ReadingArguments) *pulled {
	w.t.Helper()
	return w.open(temperature(), arguments, transport.Part{Shared: true})
}

// next returns the next event, waiting at most ten seconds. Who pulls has no rights of its own.
func (l *pulled) next() (*gql.ReadingEvent, transport.Mark) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	e, mark, err := l.stream.Next(ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	if e.Cursor != nil && (*e.Offset != mark.Place || mark.Cursor != textOf(*e.Cursor)) || e.Cursor == nil && mark != (transport.Mark{}) {
		l.t.Errorf("the event at %v has the mark %+v", e.Offset, mark)
	}
	return e, mark
}

// nothing lets the stream look at what is there: no event is to come of it.
func (l *pulled) nothing() {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if e, _, err := l.stream.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		l.t.Errorf("got %+v, %v", e, err)
	}
}

// ends expects the end of what one subscriber needs.
func (l *pulled) ends() {
	l.t.Helper()
	if e, _, err := l.stream.Next(l.t.Context()); !errors.Is(err, io.EOF) {
		l.t.Errorf("got %+v, %v, want the end", e, err)
	}
}

func textOf(c graph.Cursor) string {
	var b strings.Builder
	c.MarshalGQL(&b)
	return strings.Trim(b.String(), `"`)
}

func valuesOf(e *gql.ReadingEvent) (values []float64) {
	for _, r := range e.Readings {
		values = append(values, r.Value)
	}
	return values
}

// told is an event as text: what was deleted, then the readings, late ones marked.
func told(e *gql.ReadingEvent) string {
	var all []string
	if e.Gap != nil {
		all = append(all, fmt.Sprintf("gap %d-%d", e.Gap.From, e.Gap.To))
	}
	for _, d := range e.Deleted {
		second := func(t *time.Time) string {
			if t == nil {
				return ""
			}
			return fmt.Sprint(t.Sub(base).Seconds())
		}
		what := fmt.Sprintf("deleted [%s,%s)", second(d.From), second(d.To))
		if d.Series == nil {
			what += " gone"
		}
		all = append(all, what)
	}
	for _, r := range e.Readings {
		all = append(all, map[gql.ReadingKind]string{gql.ReadingKindNew: "", gql.ReadingKindLate: "late "}[r.Kind]+fmt.Sprint(r.Value))
	}
	return strings.Join(all, ", ")
}

// warm makes another series of our metric.
func (w *world) warm(room string) int64 {
	return w.more("temperature", map[string]string{"room": room})
}

// delete deletes readings from one second after base to another.
func (w *world) delete(series int64, from, to int) {
	w.t.Helper()
	at := func(second int) int64 { return base.Add(time.Duration(second) * time.Second).UnixMicro() }
	w.deleteAll(reading.Deletion{Series: series, From: at(from), To: at(to)})
}

func (w *world) deleteAll(ds ...reading.Deletion) {
	w.t.Helper()
	if _, err := w.journal.Delete(w.t.Context(), w.ours.project, ds); err != nil {
		w.t.Fatal(err)
	}
}

func TestNewcomersHearWhereTheyAre(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1)
	l := w.shared(graph.ReadingArguments{})
	for want := int64(1); want < 4; want++ {
		e, mark, err := l.stream.First(t.Context(), false)
		if err != nil || !e.CaughtUp || len(e.Readings) != 0 || *e.Offset != want || mark.Place != want || mark.Cursor != textOf(*e.Cursor) || l.stream.Place() != want {
			t.Fatalf("got %+v, %+v, %v at %d", e, mark, err, l.stream.Place())
		}
		ack := w.send(w.ours.series, int(want+1))
		if e, mark := l.next(); *e.Offset != ack.Offset || e.CaughtUp || mark.Committed.IsZero() {
			t.Fatalf("got %+v, %+v", e, mark)
		}
	}
}

func TestWhatComesQuicklyComesTogether(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.shared(graph.ReadingArguments{})
	many := make([]int, 700)
	for i := range many {
		many[i] = i + 100
	}
	f := func(what string, lengths ...int) {
		t.Helper()
		var got []int
		for range lengths {
			e, _ := l.next()
			got = append(got, len(e.Readings))
		}
		if !slices.Equal(got, lengths) {
			t.Errorf("%s: events of %v readings, want %v", what, got, lengths)
		}
		l.nothing()
	}
	for i := range 100 {
		w.send(w.ours.series, i)
	}
	f("entries", 64, 36)
	for range 3 {
		w.send(w.ours.series, many...)
	}
	f("readings, entries not being divided", 1400, 700)
	w.send(w.ours.series, slices.Concat(many, rangeOf(5000, 6000))...)
	f("a large entry", 1700)
}

func rangeOf(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

func TestReadingsAreNewOrLate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 100)
	l := w.shared(graph.ReadingArguments{})
	f := func(want string) {
		t.Helper()
		if e, _ := l.next(); told(e) != want {
			t.Errorf("got %s, want %s", told(e), want)
		}
	}
	w.send(w.ours.series, 50, 100, 101, 102)
	f("late 50, late 100, 101, 102")
	w.send(w.ours.series, 102)
	w.send(w.ours.series, 101, 103)
	f("late 102, late 101, 103")
	w.delete(w.ours.series, 90, 200)
	w.send(w.ours.series, 89, 95)
	f("deleted [90,200), late 89, 95")
	w.send(w.warm("1"), 7)
	f("7")
}

func TestDeletionsAreToldBeforeWhatComesBehindThem(t *testing.T) {
	t.Parallel()
	w := setup(t)
	other, dry := w.warm("2"), w.more("humidity", nil)
	l := w.shared(graph.ReadingArguments{})
	w.send(w.ours.series, 1)
	w.delete(w.ours.series, 0, 10)
	w.delete(dry, 0, 10)
	w.deleteAll(reading.Deletion{Series: other, From: 0, To: math.MaxInt64})
	w.send(w.ours.series, 1)
	w.deleteAll(reading.DeleteAll(other), reading.DeleteAll(dry))
	for _, want := range []string{"1", "deleted [0,10), deleted [,), 1", "deleted [,) gone"} {
		if e, _ := l.next(); told(e) != want {
			t.Errorf("got %s, want %s", told(e), want)
		}
	}
	l.nothing()
}

func TestWhatDoesNotMatchMovesThePlaceAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	dry := w.more("humidity", nil)
	w.send(dry, 1)
	l := w.shared(graph.ReadingArguments{})
	l.nothing() // it has narrowed what it listens to
	w.send(dry, 2)
	w.send(w.more("pressure", nil), 3) // nobody knew it
	l.nothing()
	if place := l.stream.Place(); place != 3 {
		t.Errorf("the place is %d", place)
	}
	w.send(w.warm("3"), 4)
	if e, _ := l.next(); told(e) != "4" || *e.Offset != 4 {
		t.Errorf("got %s at %d", told(e), *e.Offset)
	}
}

func TestFilterIsAskedAnewWhenSeriesChange(t *testing.T) {
	t.Parallel()
	w := setup(t)
	system := auth.NewContext(t.Context(), auth.System())
	dry := w.more("humidity", map[string]string{"room": "2"})
	w.send(dry, 1)
	w.send(w.ours.series, 1)
	room := w.open(db.SeriesWhereInput{HasDeviceWith: []*db.DeviceWhereInput{{DescriptionIn: []string{"kettle"}}}}, graph.ReadingArguments{}, transport.Part{Shared: true})
	all := w.open(db.SeriesWhereInput{}, graph.ReadingArguments{}, transport.Part{Shared: true})
	room.nothing()
	all.nothing()
	w.client.Device.UpdateOneID(w.ours.device).SetDescription("kettle").ExecX(system)
	w.client.Series.UpdateOneID(dry).SetUnit("%").ExecX(system)
	waiting := make(chan string)
	go func() {
		e, _, err := room.stream.Next(context.Background())
		waiting <- fmt.Sprint(told(e), err)
	}()
	w.graph.Refilter(w.ours.project)
	w.graph.Refilter(w.theirs.project)
	for got := ""; got == ""; { // it may look anew a little later
		w.send(dry, 2)
		select {
		case got = <-waiting:
			if !strings.HasPrefix(got, "2") {
				t.Errorf("got %s", got)
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
	if e, _ := all.next(); e.Readings[0].Series.Unit != "%" || e.Readings[0].Series.Edges.Device.Description != "kettle" {
		t.Errorf("got %+v", e.Readings[0].Series)
	}
	w.client.Device.UpdateOneID(w.ours.device).SetDescription("").ExecX(system)
	w.graph.Refilter(w.ours.project)
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond) // it looks once a second at most
	defer cancel()
	for _, _, err := room.stream.Next(ctx); err == nil; _, _, err = room.stream.Next(ctx) { // what it had taken before
	}
	w.send(dry, 3)
	room.nothing()
	w.deleteAll(reading.DeleteAll(dry))
	if e, _ := room.next(); told(e) != "deleted [,) gone" {
		t.Errorf("of a series that has ceased to match: got %s", told(e))
	}
}

// Whoever comes interrupts the wait for the next event, whatever has been taken for it.
func TestInterruptedStreamLosesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.shared(graph.ReadingArguments{MaxRate: new(0.5)})
	w.send(w.ours.series, 1)
	if e, _ := l.next(); told(e) != "1" { // the next one comes two seconds later
		t.Errorf("got %s", told(e))
	}
	w.send(w.ours.series, 2)
	l.nothing()
	w.send(w.ours.series, 3)
	l.nothing()
	if e, _, err := l.stream.First(t.Context(), false); err != nil || *e.Offset != 1 {
		t.Errorf("who comes is told %+v, %v: not where the next event begins", e, err)
	}
	if e, _ := l.next(); told(e) != "2, 3" {
		t.Errorf("got %s", told(e))
	}
}

func TestEventsComeAtMostAtTheirRate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const pace = 200 * time.Millisecond
	l := w.shared(graph.ReadingArguments{MaxRate: new(5.0)})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 { // more than 64 for each event
			w.send(w.ours.series, i)
		}
	}()
	var last time.Time
	for got := 0; got < 200; {
		e, _ := l.next()
		if since := time.Since(last); since < pace*9/10 {
			t.Errorf("an event %v after the last", since)
		}
		last = time.Now()
		for _, v := range valuesOf(e) {
			if v != float64(got) {
				t.Fatalf("got %v, want %d", v, got)
			}
			got++
		}
	}
	<-done
}

func TestEventsAreThinnedToTheirPeaks(t *testing.T) {
	t.Parallel()
	w := setup(t)
	other := w.warm("4")
	l := w.shared(graph.ReadingArguments{MaxPoints: new(4)})
	w.send(w.ours.series, 1, 2, 3, 4, 5, 6)
	w.send(other, 1, 2, 3)
	w.send(w.ours.series, 3, 7, 8)
	e, _ := l.next()
	var ours, theirs []float64
	for _, r := range e.Readings {
		if r.Series.ID == other {
			theirs = append(theirs, r.Value)
		} else {
			ours = append(ours, r.Value)
		}
	}
	if !slices.Equal(theirs, []float64{1, 2, 3}) || len(ours) > 4 || !slices.Contains(ours, 1) || !slices.Contains(ours, 8) {
		t.Errorf("got %v and %v", ours, theirs)
	}
}

func TestThinnedReadingsStayWhereTheyWere(t *testing.T) {
	t.Parallel()
	of := &db.Series{ID: 1}
	reading := func(second int, value float64) *gql.LiveReading {
		return &gql.LiveReading{Series: of, Time: base.Add(time.Duration(second) * time.Second), Value: value}
	}
	first, low, corrected, last := reading(0, 5), reading(4, 1), reading(5, 2), reading(9, 5)
	correction, late := reading(5, 9), reading(1, 5) // the first is the peak
	all := []*gql.LiveReading{first, low, corrected, last, correction, late}
	if got := graph.Thinned(slices.Clone(all), 0); !slices.Equal(got, all) {
		t.Error("all were to be left")
	}
	if got, want := graph.Thinned(slices.Clone(all), 4), []*gql.LiveReading{first, low, last, correction}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHeartbeatSaysThatAllIsWell(t *testing.T) {
	t.Parallel()
	w := setup(t)
	dry := w.more("humidity", nil)
	l := w.shared(graph.ReadingArguments{Heartbeat: &stats.Period{Time: time.Second}})
	began := time.Now()
	w.send(w.ours.series, 1)
	if e, _ := l.next(); e.Heartbeat {
		t.Error("a heartbeat, and there was a reading")
	}
	w.send(dry, 2) // of which it says nothing
	for beats := range 2 {
		e, mark := l.next()
		if !e.Heartbeat || e.CaughtUp || len(e.Readings) != 0 || mark.Place != 2 || time.Since(began) < time.Duration(beats+1)*time.Second {
			t.Errorf("got %+v, %+v after %v", e, mark, time.Since(began))
		}
	}
}

func TestHistoryIsThinnedToItsPeaks(t *testing.T) {
	t.Parallel()
	w := setup(t)
	other := w.warm("5")
	w.send(w.ours.series, rangeOf(0, 3000)...)
	w.send(other, 5, 6)
	from := base.Add(10 * time.Second)
	l := w.open(temperature(), graph.ReadingArguments{From: &from, MaxPoints: new(100)}, transport.Part{})
	e, mark := l.next()
	values := valuesOf(e)
	if mark != (transport.Mark{}) || len(values) < 50 || len(values) > 100 || values[0] != 10 || values[len(values)-1] != 2999 {
		t.Errorf("got %v, %+v", values, mark)
	}
	if e, mark = l.next(); !e.CaughtUp || !mark.Live || mark.Place != 2 {
		t.Errorf("got %+v, %+v", e, mark)
	}
	l.ends()
}

func TestHistoryIsFollowedByWhatCameMeanwhile(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, rangeOf(0, 1500)...)
	from := base
	l := w.open(temperature(), graph.ReadingArguments{From: &from}, transport.Part{})
	w.send(w.ours.series, 1499, 1500)
	for _, want := range []int{1000, 500} {
		if e, mark := l.next(); len(e.Readings) != want || e.Cursor != nil || e.Readings[want-1].Kind != gql.ReadingKindNew || mark.Live {
			t.Errorf("got %d readings, %+v", len(e.Readings), mark)
		}
	}
	if e, mark := l.next(); !e.CaughtUp || !mark.Live || mark.Place != 1 {
		t.Errorf("got %+v, %+v", e, mark)
	}
	l.ends()
	l.stream.Until(2)
	if e, mark := l.next(); told(e) != "late 1499, 1500" || mark.Place != 2 {
		t.Errorf("got %s, %+v", told(e), mark)
	}
	l.ends()
}

// meanwhile has something happen as soon as somebody has asked how far the journal is.
type meanwhile struct {
	graph.Follower
	happens func()
}

func (m *meanwhile) Applied(project int64) (int64, bool) {
	defer func() { m.happens(); m.happens = func() {} }()
	return m.Follower.Applied(project)
}

func TestHistoryTellsNothingTwice(t *testing.T) {
	t.Parallel()
	for name, points := range map[string]*int{"all": nil, "thinned": new(10)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.send(w.ours.series, 1)
			w.graph.Journal = &meanwhile{w.graph.Journal, func() {
				w.send(w.ours.series, 2, 3)
				w.delete(w.ours.series, 2, 3)
			}}
			from := base
			l := w.open(temperature(), graph.ReadingArguments{From: &from, MaxPoints: points}, transport.Part{})
			if e, _ := l.next(); told(e) != "1, 3" {
				t.Errorf("history: got %s", told(e))
			}
			if e, mark := l.next(); !e.CaughtUp || mark.Place != 3 {
				t.Errorf("got %s, %+v", told(e), mark)
			}
		})
	}
}

func TestCursorOfTheTransportCountsInPlaceOfArguments(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.shared(graph.ReadingArguments{})
	var marks []transport.Mark
	for i := range 3 {
		w.send(w.ours.series, i)
		_, mark := l.next()
		marks = append(marks, mark)
	}
	from := base
	l = w.open(temperature(), graph.ReadingArguments{From: &from}, transport.Part{After: marks[0].Cursor})
	for _, want := range []string{"1, 2", ""} {
		if e, mark := l.next(); told(e) != want || e.CaughtUp != (want == "") || mark.Live != e.CaughtUp || mark.Place != 3 {
			t.Errorf("got %s, %+v, want %s", told(e), mark, want)
		}
	}
	l.ends()
	if _, err := w.tryOpen(temperature(), graph.ReadingArguments{}, transport.Part{After: "garbage"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

func TestWhatOneSubscriberNeedsEndsWhereItIsTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	dry := w.more("humidity", nil)
	w.send(w.ours.series, 1)
	l := w.open(temperature(), graph.ReadingArguments{}, transport.Part{Behind: true, Place: 1})
	l.ends() // there is nothing that was missed
	if place := l.stream.Place(); place != 1 {
		t.Errorf("the place is %d", place)
	}
	for i := 2; i < 300; i++ { // more than the hub keeps
		w.send(w.ours.series, i)
	}
	w.send(dry, 1)
	w.send(w.ours.series, 301)
	want := append(rangeOf(2, 300), 301) // each at the offset of its value
	for _, until := range []int64{2, 2, 200, 201, 301} {
		l.stream.Until(until)
		for len(want) > 0 && want[0] <= int(until) {
			e, mark := l.next()
			if mark.Place > until || e.CaughtUp {
				t.Fatalf("got %s at %d, until %d", told(e), mark.Place, until)
			}
			for _, v := range valuesOf(e) {
				if v != float64(want[0]) {
					t.Fatalf("got %v, want %d", v, want[0])
				}
				want = want[1:]
			}
		}
		l.ends()
		if place := l.stream.Place(); place != until {
			t.Errorf("the place is %d, not %d", place, until)
		}
	}
}

func TestWhoComesBackHearsOfSeriesThatAreGone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	gone := w.warm("gone")
	after := w.send(gone, 1).Offset
	w.send(gone, 2)
	w.client.Series.DeleteOneID(gone).ExecX(auth.NewContext(t.Context(), auth.System()))
	w.deleteAll(reading.DeleteAll(gone))
	l := w.open(temperature(), graph.ReadingArguments{}, transport.Part{Behind: true, Place: after})
	if e, _ := l.next(); told(e) != "deleted [,) gone" || e.Deleted[0].SeriesID != gone {
		t.Errorf("got %s", told(e))
	}
	l.ends()
	s := w.subscribe("deviceKey", `series: {}, from: "2026-11-01T00:00:00Z"`)
	if e := s.next(); !e.CaughtUp {
		t.Errorf("got %+v", e)
	}
	s.conn.Close()
	s = w.subscribe("deviceKey", `series: {}, after: "`+textOf(*w.graph.Cursors.InJournal(w.ours.project, after, 0))+`"`)
	if e := s.next(); !e.CaughtUp || len(e.Deleted) != 0 {
		t.Errorf("a device hears of what may be another's: %+v", e)
	}
}

func TestWhoLagsGetsWhatHeAskedFor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	quiet, other, deleted := w.warm("6"), w.warm("7"), w.warm("8")
	dry := w.more("humidity", nil)
	w.send(quiet, 1)
	place := w.send(w.ours.series, 10).Offset
	w.send(other, 7)
	w.send(w.ours.series, 11, 12)
	w.send(dry, 13)
	w.send(deleted, 14)
	w.deleteAll(reading.DeleteAll(deleted))
	w.send(quiet, 0) // late
	head := w.send(w.ours.series, 13, 14).Offset
	f := func(policy gql.LagPolicy, events ...string) {
		t.Helper()
		l := w.open(temperature(), graph.ReadingArguments{OnLag: &policy}, transport.Part{Behind: true, Place: place})
		for _, want := range events {
			e, mark := l.next()
			if told(e) != want || e.CaughtUp || mark.Live != (e.Gap != nil) || (mark.Gap == string(policy)) != (e.Gap != nil) {
				t.Errorf("%s: got %s, %+v, want %s", policy, told(e), mark, want)
			}
			if e.Gap != nil {
				back := w.open(temperature(), graph.ReadingArguments{After: &e.Gap.After}, transport.Part{})
				if e, _ := back.next(); !strings.HasPrefix(told(e), "7, 11") {
					t.Errorf("%s: who comes back for what was left out gets %s", policy, told(e))
				}
			}
		}
		l.ends()
		if got := l.stream.Place(); got != head {
			t.Errorf("%s: ends at %d, not %d", policy, got, head)
		}
	}
	f(gql.LagPolicyReplay, "7, 11, 12, 14", "deleted [,) gone, 0, 13, 14")
	f(gql.LagPolicyCoalesce, fmt.Sprintf("gap %d-%d, 7, 14", place+1, head))
	f(gql.LagPolicyGap, fmt.Sprintf("gap %d-%d", place+1, head))
	policy := gql.LagPolicyClose
	if _, err := w.tryOpen(temperature(), graph.ReadingArguments{OnLag: &policy}, transport.Part{Behind: true, Place: place}); !fault.Is(err, fault.Lagging) || fault.Of(err).Code.Door().Close != 4410 {
		t.Errorf("%s: got %v", policy, err)
	}
}

func TestLiveReadingsRefuseWhatCannotBe(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for name, arguments := range map[string]string{
		"from and after":  `from: "-1h", after: "gqFpAaFh"`,
		"no rate":         `maxRate: 0`,
		"too high a rate": `maxRate: 1001`,
		"one point":       `maxPoints: 1`,
		"many points":     `maxPoints: 10001`,
		"heart too quick": `heartbeat: "PT0.5S"`,
		"heart too slow":  `heartbeat: "PT2H"`,
		"a calendar's":    `heartbeat: "P1D"`,
		"no filter":       `series: {not: {}}`,
	} {
		if !strings.Contains(arguments, "series") {
			arguments = "series: {}, " + arguments
		}
		if e := w.subscribe("viewer", arguments).next(); e.code != "BAD_USER_INPUT" {
			t.Errorf("%s: got %+v", name, e)
		}
	}
}
