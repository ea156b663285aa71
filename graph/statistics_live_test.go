package graph_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/reading"
)

// watcher is a client of one subscription to statistics, which keeps what it is told.
type watcher struct {
	*socket
	groups map[string]*shownGroup
	fill   string
}

// shownGroup is a group as it was sent, or as a client has put it together.
type shownGroup struct {
	Device  *struct{ Name string }
	Metric  *string
	Labels  map[string]string
	Unit    *string
	Series  int
	Total   map[string]any
	Buckets []map[string]any
}

func (g *shownGroup) key() string {
	text, _ := json.Marshal([]any{g.Device, g.Metric, g.Labels})
	return string(text)
}

// counts are those of the buckets, by the minute after base in which they start.
func (g *shownGroup) counts() map[int]int {
	counts := map[int]int{}
	for _, b := range g.Buckets {
		start, _ := time.Parse(time.RFC3339, b["start"].(string))
		counts[int(start.Sub(base).Minutes())] = int(b["count"].(float64))
	}
	return counts
}

// update is what one message brought, or how the subscription ended.
type update struct {
	groups []*shownGroup
	code   string
	close  int
}

// watch subscribes to statistics with these arguments, of whose groups it wants these fields.
func (w *world) watch(who, arguments, fields string) *watcher {
	w.t.Helper()
	s := w.subscribe(who, "series: {idIn: []}") // whose socket is used for another subscription
	if e := s.next(); !e.CaughtUp {
		w.t.Fatalf("got %+v", e)
	}
	s.write(map[string]any{"type": "complete", "id": "1"})
	query := `subscription { statistics(` + arguments + `) { ` + fields + ` } }`
	s.write(map[string]any{"type": "subscribe", "id": "statistics", "payload": map[string]string{"query": query}})
	return &watcher{socket: s, groups: map[string]*shownGroup{}}
}

const bare = `device { name } metric labels unit series buckets { start count sum }`

// next returns the next update, waiting at most ten seconds.
func (s *watcher) next() update {
	s.t.Helper()
	for {
		_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		var m struct {
			ID, Type string
			Payload  json.RawMessage
		}
		err := s.conn.ReadJSON(&m)
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed):
			return update{close: closed.Code}
		case err != nil:
			s.t.Fatalf("no update: %v", err)
		}
		if m.ID != "statistics" {
			continue
		}
		switch m.Type {
		case "next":
			var p struct {
				Data   struct{ Statistics []*shownGroup }
				Errors []any
			}
			if err := json.Unmarshal(m.Payload, &p); err != nil || len(p.Errors) > 0 {
				s.t.Fatalf("%v in %s", err, m.Payload)
			}
			for _, g := range p.Data.Statistics {
				s.merge(g)
			}
			return update{groups: p.Data.Statistics}
		case "error":
			var p []struct{ Extensions struct{ Code string } }
			if err := json.Unmarshal(m.Payload, &p); err != nil {
				s.t.Fatalf("%v in %s", err, m.Payload)
			}
			return update{code: p[0].Extensions.Code}
		}
	}
}

// merge keeps a group as the documentation says: groups by what they have in common, buckets by their start.
func (s *watcher) merge(g *shownGroup) {
	known := s.groups[g.key()]
	if g.Series == 0 {
		delete(s.groups, g.key())
		return
	}
	merged := *g
	if known != nil {
		fresh := g.Buckets
		old := slices.DeleteFunc(slices.Clone(known.Buckets), func(b map[string]any) bool {
			return slices.ContainsFunc(fresh, func(f map[string]any) bool { return f["start"] == b["start"] })
		})
		merged.Buckets = append(old, fresh...)
	}
	if s.fill == "" {
		merged.Buckets = slices.DeleteFunc(slices.Clone(merged.Buckets), func(b map[string]any) bool { return b["count"] == 0.0 })
	}
	slices.SortFunc(merged.Buckets, func(a, b map[string]any) int { return cmp.Compare(a["start"].(string), b["start"].(string)) })
	s.groups[g.key()] = &merged
}

// state is all that the client knows, as text.
func (s *watcher) state() string {
	all := make([]*shownGroup, 0, len(s.groups))
	for _, key := range slices.Sorted(maps.Keys(s.groups)) {
		all = append(all, s.groups[key])
	}
	text, _ := json.Marshal(all)
	return string(text)
}

// asked is what the query says, as text that compares with state.
func (w *world) asked(who, arguments, fields string) string {
	w.t.Helper()
	a := w.ask(who, `{ statistics(`+arguments+`) { `+fields+` } }`)
	if a.code() != ok {
		w.t.Fatal(a.Body)
	}
	text, _ := json.Marshal(a.at("statistics"))
	s := &watcher{groups: map[string]*shownGroup{}, fill: "as asked"}
	var all []*shownGroup
	_ = json.Unmarshal(text, &all)
	for _, g := range all {
		s.merge(g)
	}
	return s.state()
}

// minutes appends readings of a series at minutes after base: the value is the minute.
func (w *world) minutes(series int64, minutes ...int) {
	w.t.Helper()
	seconds := make([]int, len(minutes))
	for i, m := range minutes {
		seconds[i] = 60 * m
	}
	w.send(series, seconds...)
}

// more makes another series of our device.
func (w *world) more(metric string, labels map[string]string) int64 {
	system := auth.NewContext(w.t.Context(), auth.System())
	return w.client.Series.Create().SetProjectID(w.ours.project).SetDeviceID(w.ours.device).SetMetric(metric).SetLabels(labels).SaveX(system).ID
}

const hourly = `series: {}, range: {from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z"}, window: {every: "PT1H"}`

func TestLiveStatisticsSendTheWholeAnswerThenWhatChanges(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.minutes(w.ours.series, 0, 10, 60, 120)
	s := w.watch("viewer", hourly, bare)
	f := func(want map[int]int) {
		t.Helper()
		u := s.next()
		if len(u.groups) != 1 || !maps.Equal(u.groups[0].counts(), want) {
			t.Fatalf("got %+v, want buckets %v", u, want)
		}
	}
	f(map[int]int{0: 2, 60: 1, 120: 1})
	w.minutes(w.ours.series, 179)
	f(map[int]int{120: 2})
	w.minutes(w.ours.series, 5) // late
	f(map[int]int{0: 3})
	w.minutes(w.ours.series, 5, 60) // as they were: no news
	w.minutes(w.ours.series, 300, 1440, 2000)
	f(map[int]int{300: 1})
	w.minutes(w.theirs.series, 1)
	w.minutes(w.ours.series, 20, 600, 610)
	f(map[int]int{0: 4, 600: 2})
	if got, want := s.state(), w.asked("viewer", hourly, bare); got != want {
		t.Errorf("together: got %s, want %s", got, want)
	}
}

func TestLiveStatisticsAreCoalesced(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.watch("viewer", hourly, bare)
	s.next()
	start := time.Now()
	for i := range 200 {
		w.minutes(w.ours.series, i)
	}
	appended, updates := time.Since(start), 0
	for want := w.asked("viewer", hourly, bare); s.state() != want; updates++ {
		s.next()
	}
	if most := int(appended.Seconds()) + 2; updates > most {
		t.Errorf("got %d updates in %v, want %d at most", updates, appended, most)
	}
}

// While nothing comes in, nothing is asked of the database, however many watch; then all are told.
func TestIdleLiveStatisticsCostNoSQL(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.minutes(w.ours.series, 0)
	var watchers []*watcher
	for i := range 20 {
		s := w.watch([]string{"owner", "editor", "viewer", "projectKey"}[i%4], fmt.Sprintf("project: %d, ", w.ours.project)+hourly, bare)
		s.next()
		watchers = append(watchers, s)
	}
	time.Sleep(1500 * time.Millisecond) // the rights of who was sent something are looked at once more
	before := w.pool.Stat().AcquireCount()
	time.Sleep(1500 * time.Millisecond) // longer than the time between two answers
	if n := w.pool.Stat().AcquireCount() - before; n > 0 {
		t.Errorf("%d connections were taken", n)
	}
	w.minutes(w.ours.series, 61)
	for _, s := range watchers {
		if u := s.next(); len(u.groups) != 1 || !maps.Equal(u.groups[0].counts(), map[int]int{60: 1}) {
			t.Errorf("got %+v", u)
		}
	}
}

func TestLiveStatisticsFollowDeletions(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.minutes(w.ours.series, 0, 10, 60, 120, 125)
	s := w.watch("viewer", hourly, bare)
	s.next()
	a := w.ask("editor", fmt.Sprintf(`mutation { deleteReadings(series: %d, range: {from: "2026-11-01T00:30:00Z", to: "2026-11-01T02:05:00Z"}) { id } }`, w.ours.series))
	if a.code() != ok {
		t.Fatal(a.Body)
	}
	if u := s.next(); len(u.groups) != 1 || !maps.Equal(u.groups[0].counts(), map[int]int{60: 0, 120: 1}) {
		t.Errorf("got %+v, want an empty bucket and one of a single reading", u.groups[0].counts())
	}
}

func TestLiveStatisticsTakeInSeriesThatComeLater(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.minutes(w.ours.series, 0)
	s := w.watch("viewer", hourly+`, groupBy: [{by: LABEL, label: "room"}]`, bare)
	s.next()
	w.minutes(w.more("humidity", map[string]string{"room": "2"}), 60)
	if u := s.next(); len(u.groups) != 1 || u.groups[0].Labels["room"] != "2" || !maps.Equal(u.groups[0].counts(), map[int]int{60: 1}) {
		t.Errorf("got %+v, want the new group alone", u)
	}
	w.minutes(w.more("pressure", map[string]string{"room": "2"}), 60)
	if u := s.next(); len(u.groups) != 1 || u.groups[0].Series != 2 || !maps.Equal(u.groups[0].counts(), map[int]int{60: 2}) {
		t.Errorf("got %+v, want the group with one more", u)
	}
}

func TestLiveStatisticsLeaveOutWhatTheFilterDoes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	dry := w.more("humidity", map[string]string{"room": "1"})
	arguments := strings.Replace(hourly, "{}", `{labelled: [{label: "room", prefix: "2"}]}`, 1)
	s := w.watch("viewer", arguments, bare)
	if u := s.next(); u.groups == nil || len(u.groups) != 0 {
		t.Fatalf("got %+v, want an empty list", u)
	}
	w.minutes(dry, 0)
	w.minutes(w.more("humidity", map[string]string{"room": "22"}), 60)
	if u := s.next(); len(u.groups) != 1 || !maps.Equal(u.groups[0].counts(), map[int]int{60: 1}) {
		t.Errorf("got %+v", u)
	}
}

func TestLiveStatisticsSayWhenAGroupIsGone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	other := w.more("humidity", nil)
	w.minutes(w.ours.series, 0)
	w.minutes(other, 0)
	s := w.watch("viewer", hourly+`, groupBy: [{by: METRIC}]`, bare)
	s.next()
	if a := w.ask("editor", `mutation { deleteSeries(id: `+id(other)+`) }`); a.code() != ok {
		t.Fatal(a.Body)
	}
	if _, err := w.journal.Delete(t.Context(), w.ours.project, []reading.Deletion{reading.DeleteAll(other)}); err != nil { // as serve does
		t.Fatal(err)
	}
	if u := s.next(); len(u.groups) != 1 || *u.groups[0].Metric != "humidity" || u.groups[0].Series != 0 || len(u.groups[0].Buckets) != 0 {
		t.Errorf("got %+v, want the group of no series", u)
	}
}

// Entries that are packed and gone before this process has read them make the place void: the whole answer comes again.
func TestLiveStatisticsBeginAgainWhereTheirPlaceIsLost(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.minutes(w.ours.series, 0, 60)
	s := w.watch("viewer", hourly, bare)
	s.next()
	for _, sql := range []string{
		`update journal_head set head = head + 1 where project_id = $1`,
		`insert into packing (project_id, packed_to) select project_id, head from journal_head where project_id = $1
			on conflict (project_id) do update set packed_to = excluded.packed_to`,
	} {
		if _, err := w.pool.Exec(t.Context(), sql, w.ours.project); err != nil {
			t.Fatal(err)
		}
	}
	w.minutes(w.ours.series, 0, 120) // what came before is as if packed, and was not
	if u := s.next(); len(u.groups) != 1 || !maps.Equal(u.groups[0].counts(), map[int]int{0: 1, 60: 0, 120: 1}) {
		t.Errorf("got %+v", u)
	}
}

func TestLiveStatisticsGoOnWithTime(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.watch("viewer", `series: {}, range: {from: "-1h"}, window: {every: "PT1S"}`, bare)
	s.next()
	append := func(at time.Time) string {
		t.Helper()
		rs := []reading.Reading{{Series: w.ours.series, Time: at.UnixMicro(), Value: 1}}
		if _, err := w.journal.Append(t.Context(), w.ours.project, rs); err != nil {
			t.Fatal(err)
		}
		return at.UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	for range 2 {
		want := append(time.Now())
		if u := s.next(); len(u.groups) != 1 || len(u.groups[0].Buckets) != 1 || u.groups[0].Buckets[0]["start"] != want {
			t.Fatalf("got %+v, want %s", u.groups[0].Buckets, want)
		}
	}
	moment := time.Now().Add(2 * time.Second)
	want := append(moment)
	u := s.next() // nothing else comes in
	if len(u.groups) != 1 || len(u.groups[0].Buckets) != 1 || u.groups[0].Buckets[0]["start"] != want || time.Now().Before(moment) {
		t.Fatalf("got %+v, want %s when it has come", u.groups[0].Buckets, want)
	}
}

// What is expected of a bucket, and what it is compared with, goes on until it ends, whether anything comes in or not.
func TestLiveStatisticsCompleteABucketWhenItEnds(t *testing.T) {
	t.Parallel()
	const then = 10 * time.Minute
	for name, fields := range map[string]string{
		"completeness":          `buckets { start count completeness(every: "PT0.1S") }`,
		"completeness, a total": `total { count } buckets { start count completeness(every: "PT0.1S") }`,
		"of then":               `buckets { start count previous { count } }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			other := w.more("humidity", nil)
			const length = 4 * time.Second
			from := time.Now().Truncate(time.Second)
			readings := []reading.Reading{{Series: w.ours.series, Time: from.UnixMicro()}, {Series: other, Time: from.UnixMicro()}}
			for i := range int64(length / time.Second) {
				at := from.Add(-then).UnixMicro() + i*time.Second.Microseconds()
				readings = append(readings, reading.Reading{Series: w.ours.series, Time: at}, reading.Reading{Series: other, Time: at})
			}
			if _, err := w.journal.Append(t.Context(), w.ours.project, readings); err != nil {
				t.Fatal(err)
			}
			arguments := fmt.Sprintf(`series: {}, range: {from: %q}, window: {every: "PT4S", alignment: RANGE}, groupBy: [{by: METRIC}]`, from.Format(time.RFC3339))
			if strings.Contains(fields, "previous") {
				arguments += `, compareTo: "PT10M"`
			}
			s := w.watch("viewer", arguments, `metric labels series `+fields)
			s.next()
			time.Sleep(time.Until(from.Add(length)))
			for want := w.asked("viewer", arguments, `metric labels series `+fields); s.state() != want; {
				s.behind(name, want)
			}
		})
	}
}

// Buckets that begin with time belong to every group, also to those that nothing came for.
func TestLiveStatisticsFillTheNewBucketsOfAllGroups(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.more("humidity", nil)
	s := w.watch("viewer", `series: {}, range: {from: "-5s"}, window: {every: "PT1S"}, fill: NULL, groupBy: [{by: METRIC}]`, bare)
	s.fill = "NULL"
	s.next()
	for range 3 {
		rs := []reading.Reading{{Series: w.ours.series, Time: time.Now().UnixMicro(), Value: 1}}
		if _, err := w.journal.Append(t.Context(), w.ours.project, rs); err != nil {
			t.Fatal(err)
		}
		s.next()
		var starts [][]any
		for _, g := range s.groups {
			var of []any
			for _, b := range g.Buckets {
				of = append(of, b["start"])
			}
			starts = append(starts, of)
		}
		if len(starts) != 2 || !slices.Equal(starts[0], starts[1]) {
			t.Fatalf("got the buckets %v", starts)
		}
	}
}

// Who comes to what others have subscribed to gets the whole answer, and they get nothing.
func TestNewcomersToLiveStatisticsGetTheWholeAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.minutes(w.ours.series, 0, 60)
	here := w.watch("viewer", hourly, bare)
	here.next()
	w.minutes(w.ours.series, 120)
	here.next()
	w.minutes(w.ours.series, 180) // of which those who are here will be told a second later
	came := w.watch("viewer", hourly, bare)
	if u := came.next(); len(u.groups) != 1 || len(u.groups[0].counts()) < 3 {
		t.Errorf("who comes gets %+v", u)
	}
	for name, s := range map[string]*watcher{"here": here, "came": came} {
		if u := s.next(); len(u.groups) != 1 || !maps.Equal(u.groups[0].counts(), map[int]int{180: 1}) {
			t.Errorf("%s: got %+v", name, u)
		}
		if got, want := s.state(), w.asked("viewer", hourly, bare); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestLiveStatisticsTakeInSeriesThatChange(t *testing.T) {
	t.Parallel()
	w := setup(t)
	system := auth.NewContext(t.Context(), auth.System())
	dry := w.more("humidity", nil)
	w.minutes(dry, 0)
	w.minutes(w.ours.series, 0, 1)
	s := w.watch("viewer", strings.Replace(hourly, "{}", `{hasDeviceWith: [{description: "kettle"}]}`, 1), bare)
	s.next()
	for _, of := range []struct {
		description string
		want        int
	}{{"kettle", 2}, {"boiler", 0}} {
		w.client.Device.UpdateOneID(w.ours.device).SetDescription(of.description).ExecX(system)
		w.graph.Refilter(w.ours.project)
		if u := s.next(); len(u.groups) != 1 || u.groups[0].Series != of.want {
			t.Errorf("%s: got %+v, want a group of %d series", of.description, u, of.want)
		}
	}
}

func TestLiveStatisticsEndWithTheRights(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.watch("viewer", hourly, bare)
	s.next()
	w.ask("owner", `mutation { deleteMember(id: `+id(w.ours.member)+`) }`)
	for start, i := time.Now(), 0; ; i++ {
		w.minutes(w.ours.series, i)
		u := s.next()
		if u.close == 4403 {
			return
		}
		if time.Since(start) > 3*time.Second {
			t.Fatalf("3 s after the end of the rights: got %+v, want close 4403", u)
		}
	}
}

func TestLiveStatisticsAreForMembersAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.minutes(w.ours.series, 1)
	ours := fmt.Sprintf(`project: %d, `, w.ours.project) + hourly
	for who, want := range map[string]string{"owner": "", "projectKey": "", "deviceKey": "", "stranger": "NOT_FOUND"} {
		if u := w.watch(who, ours, bare).next(); u.code != want || want == "" && len(u.groups) != 1 {
			t.Errorf("%s: got %+v, want %q", who, u, want)
		}
	}
	named := strings.Replace(hourly, "{}", "{id: "+id(w.ours.series)+"}", 1)
	if u := w.watch("stranger", named, bare).next(); len(u.groups) != 0 || u.code != "" {
		t.Errorf("a stranger who names our series in their project: got %+v", u)
	}
}

func TestLiveStatisticsRefuseWhatTheQueryRefuses(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for name, arguments := range map[string]string{
		"backwards":      `series: {}, range: {from: "2026-11-02T00:00:00Z", to: "2026-11-01T00:00:00Z"}`,
		"many buckets":   `series: {}, range: {from: "2020-11-02T00:00:00Z", to: "2026-11-01T00:00:00Z"}, window: {every: "PT1S"}`,
		"empty object":   `series: {not: {}}`,
		"bad expression": `series: {labelled: [{label: "room", matches: "("}]}`,
	} {
		w.minutes(w.ours.series, 1)
		if u := w.watch("viewer", arguments, bare).next(); u.code != "BAD_USER_INPUT" {
			t.Errorf("%s: got %+v", name, u)
		}
	}
}

// Whatever comes in, who puts the updates together has what the query says.
func TestLiveStatisticsComeToWhatTheQuerySays(t *testing.T) {
	t.Parallel()
	const lines = `device { name } metric labels unit series buckets { start end label count sum mean first last delta rate integral timeWeightedMean p: quantile(q: 0.9) distinct(label: "room") filled }`
	const days = `series: {}, range: {from: "2026-11-01T00:00:00Z", to: "2026-11-05T00:00:00Z"}, `
	cases := map[string]struct{ arguments, fields, fill string }{
		"sums":        {days + `window: {every: "PT1H"}`, bare, ""},
		"lines":       {days + `window: {every: "PT1H"}, groupBy: [{by: METRIC}]`, lines, ""},
		"null":        {days + `window: {every: "PT6H", timeZone: "Europe/Berlin"}, fill: NULL, groupBy: [{by: SERIES}]`, lines, "NULL"},
		"zero":        {days + `window: {calendar: DAY}, fill: ZERO`, lines, "ZERO"},
		"previous":    {days + `window: {every: "PT3H"}, fill: PREVIOUS`, bare, "PREVIOUS"},
		"linear":      {days + `window: {every: "PT3H"}, fill: LINEAR`, bare, "LINEAR"},
		"window":      {days + `window: {every: "PT1H"}`, `metric labels series total { count sum } buckets { start count }`, ""},
		"rank":        {days + `window: {every: "PT3H"}, groupBy: [{by: METRIC}], top: {k: 2, by: SUM}`, bare, ""},
		"months":      {`series: {}, range: {from: "2026-05-31T00:10:00Z", to: "2027-02-20T00:00:00Z"}, window: {every: "P4M", alignment: RANGE}`, `metric labels series buckets { start end count sum }`, ""},
		"cut":         {`series: {}, range: {from: "2026-11-01T08:30:00Z", to: "2026-11-04T07:30:00Z"}, window: {every: "PT12H"}`, lines, ""},
		"top":         {days + `window: {every: "PT3H"}, groupBy: [{by: METRIC}], top: {k: 2, by: SUM}`, bare + ` total { count sum }`, ""},
		"total":       {days, `metric labels series total { count sum median } buckets { start count }`, ""},
		"compare":     {days + `window: {every: "PT3H"}, compareTo: "P1D"`, `metric labels series buckets { start count sum previous { start count sum } }`, ""},
		"from range":  {`series: {}, range: {from: "2026-11-01T00:10:00Z", to: "2026-11-05T00:00:00Z"}, window: {every: "PT90M", alignment: RANGE}`, bare, ""},
		"days":        {`series: {}, range: {from: "2026-11-01T00:10:00Z", to: "2026-11-05T00:00:00Z"}, window: {every: "P1D", alignment: RANGE}`, bare, ""},
		"open":        {`series: {}, range: {to: "2026-11-05T00:00:00Z"}, window: {every: "PT3H"}`, bare, ""},
		"open, range": {`series: {}, range: {to: "2026-11-05T00:00:00Z"}, window: {every: "PT3H", alignment: RANGE}`, bare, ""},
	}
	w := setup(t)
	random := rand.New(rand.NewPCG(1, 2))
	all := []int64{w.ours.series, w.more("humidity", map[string]string{"room": "1"}), w.more("pressure", map[string]string{"room": "2"})}
	w.minutes(all[0], 100, 200, 3000)
	watchers := map[string]*watcher{}
	for name, of := range cases {
		watchers[name] = w.watch("viewer", of.arguments, of.fields)
		watchers[name].fill = of.fill
	}
	for range 8 {
		for range 1 + random.IntN(3) {
			w.happen(random, &all)
		}
		for name, of := range cases {
			for want := w.asked("viewer", of.arguments, of.fields); watchers[name].state() != want; {
				watchers[name].behind(name, want)
			}
		}
	}
}

// behind waits for the next update of a client that does not have what it is to have.
func (s *watcher) behind(name, want string) {
	s.t.Helper()
	state := s.state()
	defer func() {
		if s.t.Failed() {
			s.t.Logf("%s: got %s, want %s", name, state, want)
		}
	}()
	s.next()
}

// happen lets something happen to one of the series, or makes another one.
func (w *world) happen(random *rand.Rand, all *[]int64) {
	w.t.Helper()
	series := (*all)[random.IntN(len(*all))]
	begin := random.IntN(5 * 24 * 60)
	minute := func(of int) int64 {
		return base.Add(time.Duration(begin+random.IntN(of)) * time.Minute).UnixMicro()
	}
	switch random.IntN(8) {
	case 0:
		from, to := minute(600), minute(600)
		if _, err := w.journal.Delete(w.t.Context(), w.ours.project, []reading.Deletion{{Series: series, From: min(from, to), To: max(from, to) + 1}}); err != nil {
			w.t.Fatal(err)
		}
	case 1:
		series = w.more(fmt.Sprint("m", len(*all)), map[string]string{"room": fmt.Sprint(random.IntN(3))})
		*all = append(*all, series)
		fallthrough // a series without readings is not noticed
	default:
		rs := make([]reading.Reading, 1+random.IntN(20))
		for i := range rs {
			rs[i] = reading.Reading{Series: series, Time: minute(200), Value: float64(random.IntN(100))}
		}
		if _, err := w.journal.Append(w.t.Context(), w.ours.project, rs); err != nil {
			w.t.Fatal(err)
		}
	}
}
