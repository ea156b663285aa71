package tail_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// model is what a project has, as one would explain it: the last value sent for each series and time, unless deleted.
type model map[int64]map[int64]float64

func (m model) apply(e journal.Entry) {
	for _, r := range e.Readings {
		if m[r.Series] == nil {
			m[r.Series] = make(map[int64]float64)
		}
		m[r.Series][r.Time] = r.Value
	}
	m.delete(e.Deletions)
}

func (m model) delete(ds []reading.Deletion) {
	for _, d := range ds {
		maps.DeleteFunc(m[d.Series], func(t int64, _ float64) bool { return d.Covers(t) })
	}
}

func (m model) between(series, from, to int64) []reading.Reading {
	var rs []reading.Reading
	for _, t := range slices.Sorted(maps.Keys(m[series])) {
		if from <= t && t < to {
			rs = append(rs, reading.Reading{Series: series, Time: t, Value: m[series][t]})
		}
	}
	return rs
}

func (m model) newest(series int64) (r reading.Reading, some bool) {
	rs := m.between(series, math.MinInt64, math.MaxInt64)
	if len(rs) == 0 {
		return r, false
	}
	return rs[len(rs)-1], true
}

// history is a journal, and what the project has after each entry.
type history struct {
	base    int64 // offset of the entry before the first
	entries []journal.Entry
}

var everySeries = []int64{1, 2, 3}

const times = 12 // readings are at 0 … times-1

func anyHistory(t *rapid.T) history {
	// Marks hold half of an offset: they must stand its overflow.
	h := history{base: rapid.SampledFrom([]int64{0, 1<<31 - 4, 1<<32 - 4}).Draw(t, "base")}
	anySeries, anyTime := rapid.SampledFrom(everySeries), rapid.Int64Range(0, times-1)
	anyReading := rapid.Custom(func(t *rapid.T) reading.Reading {
		return reading.Reading{
			Series: anySeries.Draw(t, "series"), Time: anyTime.Draw(t, "time"),
			Value: float64(rapid.IntRange(0, 1000).Draw(t, "value")),
		}
	})
	anyDeletion := rapid.Custom(func(t *rapid.T) reading.Deletion {
		d := reading.DeleteAll(anySeries.Draw(t, "series"))
		if rapid.IntRange(0, 3).Draw(t, "part") > 0 {
			d.From = anyTime.Draw(t, "from")
			d.To = d.From + rapid.Int64Range(1, times).Draw(t, "width")
		}
		return d
	})
	for i := range rapid.Int64Range(1, 14).Draw(t, "entries") {
		e := journal.Entry{Project: project, Offset: h.base + i + 1}
		if rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
			e.Deletions = rapid.SliceOfN(anyDeletion, 1, 3).Draw(t, "deletions")
		} else {
			e.Readings = reading.Sort(rapid.SliceOfN(anyReading, 1, 6).Draw(t, "readings"))
		}
		h.entries = append(h.entries, e)
	}
	return h
}

func (h history) end() int64 { return h.base + int64(len(h.entries)) }

// entry returns the entry at offset.
func (h history) entry(offset int64) journal.Entry { return h.entries[offset-h.base-1] }

// at returns what the project has after the entry at offset.
func (h history) at(offset int64) model {
	m := model{}
	for _, e := range h.entries[:offset-h.base] {
		m.apply(e)
	}
	return m
}

// world is a tail that follows a history while others pack it and keep the table of newest readings.
type world struct {
	*rapid.T
	history
	held    *tail.Tail
	packed  int64 // by the packer; the tail was told of it or not
	applied int64
	sure    int64                  // the newest readings that the tail began with are as of this offset
	table   map[int64]store.Newest // latest
	// asked is what was found for an Unknown newest reading, and when.
	asked map[int64]int64
}

func TestTailAndWhatIsPackedEqualAMapWhateverHappens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &world{T: t, history: anyHistory(t), table: make(map[int64]store.Newest), asked: make(map[int64]int64)}
		w.packed = rapid.Int64Range(w.base, w.end()).Draw(t, "packed at first")
		w.begin(rapid.Int64Range(w.packed, w.end()).Draw(t, "newest as of"))
		for w.applied < w.end() {
			w.applied++
			w.held.Apply(w.entry(w.applied))
			w.happen()
		}
		w.sayWhatIsUnknown(w.applied)
		w.flush()
		w.expectTable()
	})
}

// begin starts a tail anew, with newest readings as of an offset that is not packed yet.
func (w *world) begin(asOf int64) {
	b := journal.Beginning{Project: project, After: w.packed}
	for _, s := range everySeries {
		r, some := w.at(asOf).newest(s)
		if some {
			b.Latest = append(b.Latest, r)
		}
		w.put(store.Newest{Series: s, Offset: asOf, Time: r.Time, Value: r.Value, None: !some})
	}
	w.held = tail.New()
	w.held.Start(b)
	w.applied, w.sure = w.packed, asOf
	clear(w.asked)
}

// happen does something of what goes on around a tail, and checks it.
func (w *world) happen() {
	switch rapid.IntRange(0, 6).Draw(w.T, "what happens") {
	case 0:
		w.packed = rapid.Int64Range(w.packed, w.applied).Draw(w.T, "packed")
	case 1:
		w.packed = rapid.Int64Range(w.packed, w.applied).Draw(w.T, "packed")
		w.held.Trim(project, w.packed)
	case 2:
		w.flush()
	case 3:
		w.sayWhatIsUnknown(w.applied)
	case 4: // somebody who looked long ago
		for s, offset := range w.asked {
			r, some := w.at(offset).newest(s)
			w.held.Resolve(project, s, r, some, offset)
		}
	case 5:
		w.begin(rapid.Int64Range(max(w.packed, w.sure), max(w.applied, w.sure)).Draw(w.T, "newest as of"))
		for w.applied < w.sure {
			w.applied++
			w.held.Apply(w.entry(w.applied))
		}
	}
	if w.applied >= w.sure {
		w.expectReadings()
		w.expectNewest()
	}
}

// expectReadings reads as package history does: what is packed, without what was deleted since, then the tail.
func (w *world) expectReadings() {
	from := rapid.Int64Range(0, times).Draw(w.T, "from")
	to := rapid.Int64Range(0, times).Draw(w.T, "to")
	s := w.held.Snapshot(project, everySeries, from, to)
	if s.Offset != w.applied {
		w.Fatalf("snapshot at offset %d, want %d", s.Offset, w.applied)
	}
	got := w.at(w.packed)
	got.delete(s.Deletions)
	for _, rs := range s.Readings {
		got.apply(journal.Entry{Readings: rs})
	}
	want := w.at(w.applied)
	for i, series := range everySeries {
		if got, want := got.between(series, from, to), want.between(series, from, to); !slices.Equal(got, want) {
			w.Fatalf("series %d in [%d, %d): %v, want %v", series, from, to, got, want)
		}
		if slices.ContainsFunc(s.Readings[i], func(r reading.Reading) bool { return r.Time < from || r.Time >= to }) {
			w.Fatalf("series %d in [%d, %d): %v", series, from, to, s.Readings[i])
		}
	}
}

func (w *world) expectNewest() {
	for _, series := range everySeries {
		want, some := w.at(w.applied).newest(series)
		got, state := w.held.Latest(project, series)
		if state == tail.Unknown {
			w.asked[series] = w.applied
			if !w.mayBeUnknown(series) {
				w.Fatalf("the newest of series %d is unknown: it is %v, %v", series, want, some)
			}
		} else if (state == tail.Known) != some || some && got != want {
			w.Fatalf("the newest of series %d is %v, state %d; want %v, %v", series, got, state, want, some)
		}
	}
}

// mayBeUnknown reports whether a series had a packed reading taken away, and not all.
func (w *world) mayBeUnknown(series int64) bool {
	may := false
	for _, e := range w.entries[:w.applied-w.base] {
		for _, d := range e.Deletions {
			if d.Series == series {
				may = d != reading.DeleteAll(series)
			}
		}
	}
	return may
}

// sayWhatIsUnknown resolves what is Unknown, as of an offset.
func (w *world) sayWhatIsUnknown(asOf int64) {
	for _, s := range everySeries {
		if _, state := w.held.Latest(project, s); state == tail.Unknown {
			r, some := w.at(asOf).newest(s)
			w.held.Resolve(project, s, r, some, asOf)
			if _, state := w.held.Latest(project, s); state == tail.Unknown {
				w.Fatalf("the newest of series %d is unknown although it was told", s)
			}
		}
	}
}

// flush writes what has changed into the table, a part at a time.
func (w *world) flush() {
	for {
		changed := w.held.TakeChanged(2)
		for _, n := range changed {
			if n.Project != project {
				w.Fatalf("%+v changed", n)
			}
			w.put(n)
		}
		if len(changed) == 0 {
			return
		}
		if len(changed) > 2 {
			w.Fatalf("%d were taken, at most 2 wanted", len(changed))
		}
	}
}

// put writes a row unless it is older news.
func (w *world) put(n store.Newest) {
	n.Project = 0
	if old, ok := w.table[n.Series]; !ok || n.Offset > old.Offset {
		w.table[n.Series] = n
	}
}

func (w *world) expectTable() {
	for _, series := range everySeries {
		want, some := w.at(w.applied).newest(series)
		row := w.table[series]
		if row.None == some || some && (row.Time != want.Time || row.Value != want.Value) {
			w.Fatalf("the table says %+v of series %d; want %v, %v", row, series, want, some)
		}
	}
}
