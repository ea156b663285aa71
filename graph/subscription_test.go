package graph_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/reading"
)

func TestSubscriptionDeliversEachEntryOnceInOrder(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1)
	s := w.subscribe("viewer", `series: {metric: "temperature"}`)
	if e := s.next(); !e.CaughtUp || e.Cursor == nil || len(e.Readings) != 0 {
		t.Fatalf("first event: got %+v, want caughtUp with a cursor", e)
	}
	var want []float64
	for i := 2; i < 100; i++ {
		w.send(w.ours.series, i, i+1000)
		want = append(want, float64(i), float64(i+1000))
	}
	for len(want) > 0 {
		e := s.next()
		got := e.values()
		if n := len(got); n == 0 || n > len(want) || !slices.Equal(got, want[:n]) || e.Offset == nil || float64(*e.Offset) != got[n-2] {
			t.Fatalf("got %v up to %v, want %v", got, e.Offset, want)
		}
		want = want[len(got):]
	}
}

func TestSubscriptionResumesAfterItsCursor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.subscribe("viewer", `series: {metric: "temperature"}`)
	last := s.next()
	want := 1
	for round := range 5 {
		for i := range 20 {
			w.send(w.ours.series, round*20+i+1)
		}
		for missed := want + 7; want < missed; { // less than was sent: the rest is missed by this connection
			e := s.next()
			for e.CaughtUp {
				e = s.next()
			}
			for _, v := range e.values() {
				if v != float64(want) {
					t.Fatalf("got %v, want %d", e.values(), want)
				}
				want++
			}
			last = e
		}
		s.conn.Close()
		s = w.subscribe("viewer", `series: {metric: "temperature"}, after: "`+*last.Cursor+`"`)
	}
}

func TestSubscriptionIsCaughtUpAfterWhatItMissed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.subscribe("viewer", `series: {}`)
	begin := s.next()
	s.conn.Close()
	var want []float64
	for i := 1; i <= 300; i++ { // more than the hub keeps in memory
		w.send(w.ours.series, i)
		want = append(want, float64(i))
	}
	s = w.subscribe("viewer", `series: {}, after: "`+*begin.Cursor+`"`)
	if got, _ := s.take(300); !slices.Equal(got, want) {
		t.Fatalf("got %v", got)
	}
	if e := s.next(); !e.CaughtUp {
		t.Errorf("got %+v, want caughtUp", e)
	}
}

func TestSubscriptionSendsHistoryThenCatchesUpThenLives(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 5, 10, 20, 10)
	s := w.subscribe("viewer", fmt.Sprintf(`series: {id: %d}, from: "2026-11-01T00:00:10Z"`, w.ours.series))
	if e := s.next(); !slices.Equal(e.values(), []float64{10, 20}) || e.Cursor != nil || e.CaughtUp {
		t.Fatalf("history: got %+v", e)
	}
	if e := s.next(); !e.CaughtUp || e.Cursor == nil {
		t.Fatalf("got %+v, want caughtUp", e)
	}
	w.send(w.ours.series, 7)
	if e := s.next(); !slices.Equal(e.values(), []float64{7}) {
		t.Fatalf("live: got %+v", e)
	}
}

// Series come to exist, with a reading each, while others subscribe with history: everybody sees each reading once,
// either in history or after it.
func TestHistoryAndWhatComesAfterMeetAtOneOffset(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const many = 60
	system := auth.NewContext(t.Context(), auth.System())
	made := make(chan struct{})
	go func() {
		defer close(made)
		for i := range many {
			s := w.client.Series.Create().SetProjectID(w.ours.project).SetDeviceID(w.ours.device).SetMetric(fmt.Sprint("m", i)).SaveX(system)
			rs := []reading.Reading{{Series: s.ID, Time: base.UnixMicro(), Value: float64(i)}}
			if _, err := w.journal.Append(t.Context(), w.ours.project, rs); err != nil {
				t.Error(err)
			}
		}
	}()
	var subscribers []*socket
	for range 12 {
		subscribers = append(subscribers, w.subscribe("viewer", `series: {metricHasPrefix: "m"}, from: "2026-10-01T00:00:00Z"`))
	}
	<-made
	for _, s := range subscribers {
		seen := map[float64]int{}
		for len(seen) < many {
			for _, v := range s.next().values() {
				seen[v]++
			}
		}
		for v, n := range seen {
			if n != 1 {
				t.Errorf("reading %v was seen %d times", v, n)
			}
		}
	}
}

func TestSubscriptionTellsOfDeletions(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1, 2, 3)
	deletion := fmt.Sprintf(`mutation { deleteReadings(series: %d, range: {to: "2026-11-01T00:00:0%%dZ"}) { id } }`, w.ours.series)
	w.ask("editor", fmt.Sprintf(deletion, 2))
	s := w.subscribe("viewer", `series: {}, from: "2026-11-01T00:00:00Z"`)
	if e := s.next(); !slices.Equal(e.values(), []float64{2, 3}) {
		t.Errorf("history: got %v, want what is not deleted", e.values())
	}
	if e := s.next(); !e.CaughtUp {
		t.Errorf("got %+v, want caughtUp", e)
	}
	w.ask("editor", fmt.Sprintf(deletion, 3))
	if e := s.next(); len(e.Deleted) != 1 || e.Deleted[0].SeriesID != id(w.ours.series) || e.Deleted[0].From != nil || !e.Deleted[0].To.Equal(base.Add(3*time.Second)) || len(e.Readings) != 0 {
		t.Errorf("live: got %+v, want the deletion", e)
	}
	w.send(w.ours.series, 4, 1)
	if e := s.next(); !slices.Equal(e.values(), []float64{1, 4}) || *e.Offset != 4 || e.Readings[0].Kind != "LATE" || e.Readings[1].Kind != "NEW" {
		t.Errorf("live: got %+v, want the next readings", e)
	}
}

func TestSubscriptionFindsSeriesThatComeLater(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.subscribe("viewer", `series: {metricHasPrefix: "hum"}`)
	s.next()
	w.send(w.ours.series, 1) // does not match: no event
	system := auth.NewContext(t.Context(), auth.System())
	later := w.client.Series.Create().SetProjectID(w.ours.project).SetDeviceID(w.ours.device).SetMetric("humidity").SaveX(system)
	w.send(later.ID, 2)
	if e := s.next(); !slices.Equal(e.values(), []float64{2}) || e.Readings[0].Series.Metric != "humidity" {
		t.Fatalf("got %+v", e)
	}
}

func TestSubscriptionIsForMembersAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1)
	ours := fmt.Sprintf(`project: %d, series: {}`, w.ours.project)
	for who, want := range map[string]string{
		"owner": "", "editor": "", "viewer": "", "projectKey": "", "deviceKey": "", "adminKey": "",
		"ingestKey": "NOT_FOUND", "stranger": "NOT_FOUND",
	} {
		if e := w.subscribe(who, ours).next(); e.code != want || want == "" && !e.CaughtUp {
			t.Errorf("%s: got %+v, want %q", who, e, want)
		}
	}
	if e := w.subscribe("nobody", ours).next(); e.close != 4403 {
		t.Errorf("anonymous: got %+v, want close 4403", e)
	}
	if e := w.subscribe("stranger", fmt.Sprintf(`series: {id: %d}, from: "-30d"`, w.ours.series)).next(); len(e.Readings) != 0 {
		t.Errorf("a stranger who names our series in their project: got %+v", e)
	}
}

func TestDeviceKeySubscribesToItsDeviceAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	system := auth.NewContext(t.Context(), auth.System())
	other := w.client.Device.Create().SetProjectID(w.ours.project).SetName("other").SaveX(system)
	others := w.client.Series.Create().SetProjectID(w.ours.project).SetDevice(other).SetMetric("temperature").SaveX(system)
	s := w.subscribe("deviceKey", `series: {metric: "temperature"}`)
	s.next()
	w.send(others.ID, 1)
	w.send(w.ours.series, 2)
	if e := s.next(); !slices.Equal(e.values(), []float64{2}) {
		t.Fatalf("got %+v, want the own device's reading alone", e)
	}
}

func TestSubscriptionEndsWithTheRights(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world){
		"viewer":     func(w *world) { w.ask("owner", `mutation { deleteMember(id: `+id(w.ours.member)+`) }`) },
		"projectKey": func(w *world) { w.ask("owner", `mutation { deleteKey(id: `+id(w.keys["projectKey"])+`) }`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			s := w.subscribe(name, fmt.Sprintf(`project: %d, series: {}`, w.ours.project))
			s.next()
			w.send(w.ours.series, 1)
			s.next()
			end(w)
			for start := time.Now(); ; {
				w.send(w.ours.series, 2)
				e := s.next()
				if e.close == 4403 {
					break
				}
				if time.Since(start) > 2*time.Second {
					t.Fatalf("2 s after the end of the rights: got %+v, want close 4403", e)
				}
			}
		})
	}
}

// A cursor from before a restored backup lies in the future of the journal: the answer is an error, not silence.
func TestCursorBehindWhichThereIsNothingIsRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.subscribe("viewer", `series: {}`)
	s.next()
	w.send(w.ours.series, 1)
	w.send(w.ours.series, 2)
	s.next()
	last := s.next()
	for _, sql := range []string{`delete from journal where "offset" = 2`, `update journal_head set head = 1`} {
		if _, err := w.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	w.serve() // as a process that starts on the restored database
	s = w.subscribe("viewer", `series: {}, after: "`+*last.Cursor+`"`)
	if e := s.next(); e.code != "NOT_FOUND" {
		t.Errorf("got %+v, want NOT_FOUND", e)
	}
}

func TestForgedCursorsAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1, 2, 3)
	page := w.ask("viewer", `{ readings(series: {}, first: 1) { pageInfo { endCursor } } }`)
	cursor := text(page.at("readings", "pageInfo", "endCursor"))
	for name, forged := range map[string]string{
		"garbage": "gqFpAaF2", "empty": "", "of a list": cursor, "cut": cursor[:len(cursor)-3],
	} {
		if e := w.subscribe("viewer", `series: {}, after: "`+forged+`"`).next(); e.code != "BAD_USER_INPUT" {
			t.Errorf("%s: got %+v, want BAD_USER_INPUT", name, e)
		}
	}
}
