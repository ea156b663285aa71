package tail_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

const project = 7

// model is the tail as one would explain it: the last value sent for each series and time.
type model map[int64]map[int64]float64

func (m model) apply(rs []reading.Reading) {
	for _, r := range rs {
		if m[r.Series] == nil {
			m[r.Series] = make(map[int64]float64)
		}
		m[r.Series][r.Time] = r.Value
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

func TestTailEqualsAMapWhateverTheOrderDuplicatesAndLateness(t *testing.T) {
	t.Parallel()
	anyReading := rapid.Custom(func(t *rapid.T) reading.Reading {
		return reading.Reading{
			Series: rapid.Int64Range(1, 4).Draw(t, "series"),
			Time:   rapid.Int64Range(0, 40).Draw(t, "time"),
			Value:  float64(rapid.IntRange(0, 1000).Draw(t, "value")),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		held, want := tail.New(), model{}
		first := rapid.Int64Range(0, 3).Draw(t, "packed to")
		held.Start(project, first)
		batches := rapid.SliceOfN(rapid.SliceOfN(anyReading, 1, 30), 0, 12).Draw(t, "batches")
		for i, batch := range batches {
			want.apply(batch)
			held.Apply(journal.Entry{Project: project, Offset: first + int64(i) + 1, Readings: reading.Sort(batch)})
		}
		from, to := rapid.Int64Range(0, 41).Draw(t, "from"), rapid.Int64Range(0, 41).Draw(t, "to")
		limit := rapid.IntRange(0, 5).Draw(t, "limit")

		offset, snapshot := held.Snapshot(project, []int64{1, 2, 3, 4, 5}, from)
		if offset != first+int64(len(batches)) {
			t.Fatalf("snapshot at offset %d after %d entries behind %d", offset, len(batches), first)
		}
		for series := int64(1); series <= 5; series++ {
			all := want.between(series, 0, math.MaxInt64)
			if got := snapshot[series-1]; !slices.Equal(got, want.between(series, from, math.MaxInt64)) {
				t.Fatalf("snapshot of series %d from %d: %v", series, from, got)
			}
			in := want.between(series, from, to)
			if got := held.Count(project, series, from, to); got != len(in) {
				t.Fatalf("count of series %d in [%d, %d): %d, want %d", series, from, to, got, len(in))
			}
			if limit > 0 && len(in) > limit {
				in = in[:limit]
			}
			if got := held.Range(project, series, from, to, limit); !slices.Equal(got, in) {
				t.Fatalf("series %d in [%d, %d), limit %d: %v, want %v", series, from, to, limit, got, in)
			}
			latest, ok := held.Latest(project, series)
			if ok != (len(all) > 0) || ok && latest != all[len(all)-1] {
				t.Fatalf("latest of series %d: %v, %v; has %v", series, latest, ok, all)
			}
		}
	})
}

// Each entry has a reading for each series: who sees an entry in one series sees it in all, and its offset.
func TestSnapshotNeverSeesHalfAnEntry(t *testing.T) {
	t.Parallel()
	const entries, readers = 2000, 3
	series := []int64{1, 2, 3, 4, 5, 6, 7, 8}
	held := tail.New()
	held.Start(project, 0)

	var done sync.WaitGroup
	for range readers {
		done.Go(func() {
			for offset := int64(0); offset < entries; {
				var snapshot [][]reading.Reading
				offset, snapshot = held.Snapshot(project, series, 0)
				for i, rs := range snapshot {
					if int64(len(rs)) != offset {
						t.Errorf("at offset %d series %d has %d readings", offset, series[i], len(rs))
						return
					}
				}
			}
		})
	}
	for offset := int64(1); offset <= entries; offset++ {
		e := journal.Entry{Project: project, Offset: offset}
		for _, s := range series {
			e.Readings = append(e.Readings, reading.Reading{Series: s, Time: offset})
		}
		held.Apply(e)
	}
	done.Wait()
}

func TestForgetDropsSeriesAndProjects(t *testing.T) {
	t.Parallel()
	held := tail.New()
	held.Start(project, 4)
	held.Start(project+1, 0)
	apply := func(project, offset int64, series ...int64) {
		e := journal.Entry{Project: project, Offset: offset}
		for _, s := range series {
			e.Readings = append(e.Readings, reading.Reading{Series: s, Time: offset, Value: 1})
		}
		held.Apply(e)
	}
	apply(project, 5, 1, 2, 3)
	apply(project+1, 1, 1)
	has := func(project, series int64, want bool) {
		t.Helper()
		if _, ok := held.LatestTime(project, series); ok != want {
			t.Errorf("project %d series %d: held %v, want %v", project, series, ok, want)
		}
	}

	held.Forget(project, 2, 99)
	has(project, 1, true)
	has(project, 2, false)
	has(project, 3, true)

	held.ForgetProject(project)
	has(project, 1, false)
	has(project+1, 1, true)
	if offset, _ := held.Snapshot(project, nil, 0); offset != 0 {
		t.Errorf("a forgotten project is at offset %d", offset)
	}
	apply(project, 6, 1)
	has(project, 1, false)
}

func TestMetricsCountWhatIsHeld(t *testing.T) {
	t.Parallel()
	held := tail.New()
	held.Start(project, 0)
	expect := func(readings, series string) {
		t.Helper()
		want := `
# HELP readout_tail_readings Readings held in memory.
# TYPE readout_tail_readings gauge
readout_tail_readings ` + readings + `
# HELP readout_tail_series Series with readings held in memory.
# TYPE readout_tail_series gauge
readout_tail_series ` + series + `
`
		if err := testutil.CollectAndCompare(held, strings.NewReader(want), "readout_tail_readings", "readout_tail_series"); err != nil {
			t.Error(err)
		}
	}
	held.Apply(journal.Entry{Project: project, Offset: 1, Readings: []reading.Reading{at(1, 10), at(1, 20), at(2, 10)}})
	expect("3", "2")
	held.Apply(journal.Entry{Project: project, Offset: 2, Readings: []reading.Reading{at(1, 10), at(1, 15)}})
	expect("4", "2")
	held.Forget(project, 1)
	expect("1", "1")
	held.ForgetProject(project)
	expect("0", "0")
}

func at(series, time int64) reading.Reading {
	return reading.Reading{Series: series, Time: time, Value: 1}
}

func TestApplyAppendsWithoutAllocatingOnceThereIsRoom(t *testing.T) {
	held := tail.New()
	held.Start(project, 0)
	e := journal.Entry{Project: project, Readings: []reading.Reading{{Series: 1}, {Series: 2}}}
	next := func() {
		e.Offset++
		e.Readings[0].Time, e.Readings[1].Time = e.Offset, e.Offset
		held.Apply(e)
	}
	for range 1000 { // room for 24 more
		next()
	}
	if n := testing.AllocsPerRun(10, next); n > 0 {
		t.Errorf("%v allocations an entry", n)
	}
}

func BenchmarkApply(b *testing.B) {
	const series, each = 100, 10
	run := func(name string, times func(entry, i int64) int64) {
		b.Run(name, func(b *testing.B) {
			held := tail.New()
			held.Start(project, 0)
			rs := make([]reading.Reading, 0, series*each)
			for offset := int64(1); b.Loop(); offset++ {
				if offset%1000 == 0 { // a tail is packed now and then
					held.Start(project, offset)
				}
				rs = rs[:0]
				for s := range int64(series) {
					for i := range int64(each) {
						rs = append(rs, reading.Reading{Series: s, Time: times(offset, i), Value: 1})
					}
				}
				held.Apply(journal.Entry{Project: project, Offset: offset, Readings: rs})
			}
			b.ReportMetric(float64(b.N)*series*each/b.Elapsed().Seconds(), "readings/s")
		})
	}
	run("in order", func(entry, i int64) int64 { return entry*each + i })
	run("late by ten entries", func(entry, i int64) int64 { return (entry^15)*each + i })
	run("sent twice", func(entry, i int64) int64 { return entry/2*each + i })
}
