package tail_test

import (
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

const project = 7

// Each entry has a reading for each series: who sees an entry in one series sees it in all, and its offset.
func TestSnapshotNeverSeesHalfAnEntry(t *testing.T) {
	t.Parallel()
	const entries, readers = 2000, 3
	series := []int64{1, 2, 3, 4, 5, 6, 7, 8}
	held := tail.New()
	held.Start(journal.Beginning{Project: project})

	var done sync.WaitGroup
	for range readers {
		done.Go(func() {
			for offset := int64(0); offset < entries; {
				snapshot := held.Snapshot(project, series, 0, math.MaxInt64)
				offset = snapshot.Offset
				for i, rs := range snapshot.Readings {
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

func TestForgottenProjectIsGoneAndOthersAreNot(t *testing.T) {
	t.Parallel()
	held := tail.New()
	held.Start(journal.Beginning{Project: project, After: 4})
	held.Start(journal.Beginning{Project: project + 1})
	held.Apply(journal.Entry{Project: project, Offset: 5, Readings: []reading.Reading{at(1, 5)}})
	held.Apply(journal.Entry{Project: project + 1, Offset: 1, Readings: []reading.Reading{at(1, 5)}})
	has := func(project int64, want tail.State) {
		t.Helper()
		if _, state := held.Latest(project, 1); state != want {
			t.Errorf("project %d: state %d, want %d", project, state, want)
		}
	}
	held.ForgetProject(project)
	has(project, tail.None)
	has(project+1, tail.Known)
	if s := held.Snapshot(project, []int64{1}, 0, math.MaxInt64); s.Offset != 0 || len(s.Readings) != 1 || s.Readings[0] != nil {
		t.Errorf("a forgotten project has %+v", s)
	}
	held.Apply(journal.Entry{Project: project, Offset: 6, Readings: []reading.Reading{at(1, 6)}})
	held.Trim(project, 6)
	held.Resolve(project, 1, at(1, 6), true, 6)
	has(project, tail.None)
}

// A snapshot that comes while a trim is under way must be right with whatever is packed then: readings may be missing
// in it only if they are packed, and a deletion may only be there if nothing that came behind it is missing.
func TestSnapshotDuringATrimHidesNothing(t *testing.T) {
	t.Parallel()
	const series, each = 64, 2000 // some pieces
	held := tail.New()
	held.Start(journal.Beginning{Project: project})
	ids := make([]int64, series)
	deletions := journal.Entry{Project: project, Offset: 1}
	readings := journal.Entry{Project: project, Offset: 2}
	for s := range ids {
		ids[s] = int64(s)
		deletions.Deletions = append(deletions.Deletions, reading.DeleteAll(ids[s]))
		for i := range int64(each) {
			readings.Readings = append(readings.Readings, at(ids[s], i))
		}
	}
	held.Apply(deletions)
	held.Apply(readings)

	var trimming sync.WaitGroup
	trimming.Go(func() { held.Trim(project, 2) })
	for missing := 0; missing < series; {
		s := held.Snapshot(project, ids, 0, math.MaxInt64)
		missing = 0
		for i, rs := range s.Readings {
			if len(rs) != 0 && len(rs) != each {
				t.Fatalf("series %d has %d readings of %d", ids[i], len(rs), each)
			}
			if len(rs) == 0 {
				missing++
			}
		}
		if missing > 0 && len(s.Deletions) > 0 {
			t.Fatalf("%d series are trimmed and %d deletions are not", missing, len(s.Deletions))
		}
	}
	trimming.Wait()
	if r, state := held.Latest(project, 5); state != tail.Known || r != at(5, each-1) {
		t.Errorf("the newest of a series that is packed is %v, state %d", r, state)
	}
}

// Two thirds of the points of a series are packed, again and again: the tail must not grow by what it has dropped.
func TestTrimGivesMemoryBack(t *testing.T) {
	t.Parallel()
	held := tail.New()
	held.Start(journal.Beginning{Project: project})
	e := journal.Entry{Project: project, Offset: 1}
	for i := range int64(10_000) {
		e.Readings = append(e.Readings, at(1, i))
	}
	held.Apply(e)
	for range 2 { // once for the points, once for the room that nobody needed since
		e.Offset++
		e.Readings = e.Readings[:1]
		held.Apply(e)
		held.Trim(project, e.Offset)
		held.Apply(journal.Entry{Project: project, Offset: e.Offset + 1})
		held.Trim(project, e.Offset+1)
	}
	if bytes := gauge(t, held, "readout_tail_bytes"); bytes > 1000 {
		t.Errorf("a tail without readings takes %v bytes", bytes)
	}
}

func TestMetricsCountWhatIsHeld(t *testing.T) {
	t.Parallel()
	held := tail.New()
	held.Start(journal.Beginning{Project: project})
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
	held.Apply(journal.Entry{Project: project, Offset: 3, Deletions: []reading.Deletion{{Series: 1, From: 10, To: 15}}})
	expect("3", "2")
	held.Trim(project, 1) // (2, 10) and (1, 20)
	expect("1", "1")
	held.Start(journal.Beginning{Project: project, After: 3})
	expect("0", "0")
	held.Apply(journal.Entry{Project: project, Offset: 4, Readings: []reading.Reading{at(1, 10)}})
	expect("1", "1")
	held.ForgetProject(project)
	expect("0", "0")
	if n := gauge(t, held, "readout_tail_bytes"); n != 0 {
		t.Errorf("%v bytes are held of nothing", n)
	}
}

// gauge returns the value of one of the tail's metrics.
func gauge(t *testing.T, held *tail.Tail, name string) float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(held)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func at(series, time int64) reading.Reading {
	return reading.Reading{Series: series, Time: time, Value: 1}
}

func TestApplyAppendsWithoutAllocatingOnceThereIsRoom(t *testing.T) {
	held := tail.New()
	held.Start(journal.Beginning{Project: project})
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
			held.Start(journal.Beginning{Project: project})
			rs := make([]reading.Reading, 0, series*each)
			for offset := int64(1); b.Loop(); offset++ {
				if offset%1000 == 0 {
					held.Trim(project, offset-1)
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
