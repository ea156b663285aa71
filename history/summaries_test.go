package history_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

// rolledSite is a project of which two days of October and one of November are rolled up: series 1 has 250 readings in
// the hour 3 and 600 in the hour 5 of the first day, and 10 on each of the others; series 2 has 10 on the third day.
type rolledSite struct {
	t       *testing.T
	pool    *pgxpool.Pool
	project int64
	*process
	packer *pack.Packer
	model  model
}

func newRolledSite(t *testing.T) *rolledSite {
	t.Helper()
	s := &rolledSite{t: t, pool: database(t), model: model{}}
	s.project = newProject(t, s.pool)
	s.process = start(t, s.pool, history.Config{})
	s.packer = pack.New(s.pool, pack.Config{Packed: s.follower.Packed})
	s.send(spread(1, 3*hour, 250)...)
	s.send(spread(1, 5*hour, 600)...)
	for d := int64(1); d <= 2; d++ {
		s.send(spread(1, d*day+10*hour, 10)...)
	}
	s.send(spread(2, 2*day+10*hour, 10)...)
	s.pack()
	s.settle()
	return s
}

// spread returns n readings of a series, 6 s apart, from a time after base on.
func spread(series, from int64, n int) (rs []reading.Reading) {
	for i := range n {
		rs = append(rs, reading.Reading{Series: series, Time: base + from + int64(i)*6*second, Value: float64(i%100) / 10})
	}
	return rs
}

func (s *rolledSite) send(rs ...reading.Reading) {
	s.t.Helper()
	s.mustAppend(s.t, s.project, rs...)
	s.model.append(rs...)
}

func (s *rolledSite) pack() {
	s.t.Helper()
	if err := s.packer.Pack(s.t.Context(), s.project); err != nil {
		s.t.Fatal(err)
	}
}

func (s *rolledSite) settle() {
	s.t.Helper()
	if err := s.packer.Settle(s.t.Context(), s.project, time.UnixMicro(base+3*day+12*hour)); err != nil {
		s.t.Fatal(err)
	}
}

// forgetOctober drops the readings of October, as retention does, and keeps their rollups.
func (s *rolledSite) forgetOctober() {
	s.t.Helper()
	november := base + 2*day
	days := int(time.Since(time.UnixMicro(november+14*day)).Hours() / 24)
	exec(s.t, s.pool, `update projects set keep_readings_days = $2 where id = $1`, s.project, days)
	exec(s.t, s.pool, `delete from chunk where project_id = $1 and first_time < $2`, s.project, november)
	exec(s.t, s.pool, `delete from young where project_id = $1 and day < '2026-11-01'`, s.project)
}

// query asks for series 1 and 2 between bounds, in hours after base.
func (s *rolledSite) query(bounds ...float64) history.SummaryQuery {
	q := history.SummaryQuery{Project: s.project, Series: []int64{1, 2}}
	for _, b := range bounds {
		q.Bounds = append(q.Bounds, base+int64(b*float64(hour)))
	}
	return q
}

// expect checks how q is answered: each unit as "series@hour+length", with a ~ when it is coarse, each part as
// "series[from,to)", in hours after base.
func (s *rolledSite) expect(what string, q history.SummaryQuery, want ...string) summed {
	s.t.Helper()
	found := s.mustSum(s.t, q)
	hours := func(t int64) float64 { return float64(t-base) / float64(hour) }
	var got []string
	for _, u := range found.units {
		mark := ""
		if u.Coarse {
			mark = "~"
		}
		got = append(got, fmt.Sprintf("%s%d@%v+%v", mark, u.Series, hours(u.Start), u.Length/hour))
	}
	for _, p := range found.left {
		got = append(got, fmt.Sprintf("%s[%v,%v)", strings.Trim(fmt.Sprint(p.Series), "[]"), hours(p.From), hours(p.To)))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: got %q, want %q", what, got, want)
	}
	return found
}

func TestSummariesUseDaysThenHoursThenNothing(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	all := func(what string, q history.SummaryQuery, want ...string) {
		t.Helper()
		s.expect(what, q, want...).expect(t, s.model, q)
	}
	all("days", s.query(0, 72), "1@0+24", "1@24+24", "1@48+24", "2@48+24")
	all("hours of a day that is cut", s.query(0, 4, 48), "1@3+1", "1@5+1", "1@24+24")
	all("hours that are cut, and a day that has none", s.query(3.5, 34, 48), "1[3.5,5)", "1@5+1", "1[6,48)")
	q := s.query(0, 4, 72)
	q.Sketches = true
	all("sketches", q, "1[0,5)", "1@5+1", "1[24,72)", "2[48,72)")
	all("an empty range", s.query(24, 24))
	all("one bound", s.query(24))
	q.Series = nil
	all("no series", q)
}

func TestSummariesLeaveWhatHasChangedSinceItWasRolledUp(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	all := func(what string, want ...string) {
		t.Helper()
		q := s.query(0, 72)
		s.expect(what, q, want...).expect(t, s.model, q)
	}
	s.send(reading.Reading{Series: 2, Time: base + 30*hour, Value: 1})
	all("in the tail", "1@0+24", "1@24+24", "1@48+24", "2@48+24", "2[24,48)")
	s.pack()
	all("packed", "1@0+24", "1@24+24", "1@48+24", "2@48+24", "2[24,48)")
	s.settle()
	all("settled", "1@0+24", "1@24+24", "1@48+24", "2@24+24", "2@48+24")
	d := reading.Deletion{Series: 1, From: base + 23*hour, To: base + 35*hour}
	s.mustDelete(t, s.project, d)
	s.model.delete(d)
	all("deleted in the tail", "1[0,48)", "1@48+24", "2@24+24", "2@48+24")
	s.pack()
	all("deleted", "1@0+24", "1@48+24", "2@24+24", "2@48+24")
	if err := s.packer.Settle(t.Context(), s.project, time.UnixMicro(base+10*day)); err != nil {
		t.Fatal(err)
	}
	all("when the month is closed", "1@0+24", "1@48+24", "2@24+24", "2@48+24")
}

func TestSummariesLeaveToday(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	s.reader.AtTime(time.UnixMicro(base + 30*hour))
	s.expect("days before today", s.query(0, 72, 96), "1@0+24", "1 2[24,96)").expect(t, s.model, s.query(0, 72, 96))
	s.expect("today alone", s.query(24, 36), "1 2[24,36)")
	s.expect("the future", s.query(30, 36), "1 2[30,36)")
}

func TestSummariesLeaveRollupsFromBeforeTheLine(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	exec(t, s.pool, `update rollup_day set area = default, increase = default where start = '2026-10-31Z'`)
	q := s.query(0, 72)
	s.expect("without lines", q, "1@0+24", "1@24+24", "1@48+24", "2@48+24")
	q.Lines = true
	s.expect("with lines", q, "1@0+24", "1[24,48)", "1@48+24", "2@48+24").expect(t, s.model, q)
}

func TestSummariesTellOfReadingsThatHaveGoneByAge(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	s.forgetOctober()
	november := []string{"1@48+24", "2@48+24"}
	s.expect("days", s.query(0, 72), append(november, "1@0+24", "1@24+24")...)
	s.expect("a day that is cut", s.query(0, 4, 72), append(november, "1@3+1", "1@5+1", "1@24+24")...)
	s.expect("hours, and a day that has none", s.query(0, 3.5, 34, 72), append(november, "~1@3+1", "1@5+1", "~1@24+24")...)
	s.expect("the half with the middle", s.query(36, 48), "~1@24+24")
	s.expect("the half without", s.query(24, 36))
	q := s.query(0, 48)
	q.Sketches = true
	s.expect("a day without a sketch", q, "1@0+24", "~1@24+24")
	q = s.query(0, 47, 72)
	q.Lines = true
	exec(t, s.pool, `update rollup_day set area = default`)
	s.expect("days without a line", q, "~1@0+24", "~1@24+24", "1 2[48,72)")

	s.send(reading.Reading{Series: 1, Time: base + 30*hour, Value: 1}, reading.Reading{Series: 2, Time: base + 30*hour, Value: 1})
	s.expect("what comes late, and has a rollup or none", s.query(0, 72), append(november, "1@0+24", "1@24+24", "2[24,48)")...)
	s.mustDelete(t, s.project, reading.Deletion{Series: 1, From: base + 12*hour, To: base + 48*hour})
	s.expect("when a day and a half are deleted", s.query(0, 72), append(november, "1@0+24", "2[24,48)")...)
	s.expect("by hours", s.query(0, 4, 30, 48), "1@3+1", "1@5+1", "2[24,48)")
}

func TestSummariesOfWhatHasGoneLeaveAllElse(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	gone := func(what string, q history.SummaryQuery, want ...string) summed {
		t.Helper()
		q.GoneOnly = true
		return s.expect(what, q, want...)
	}
	gone("nothing", s.query(0, 72), "1 2[0,72)").expect(t, s.model, s.query(0, 72))
	s.forgetOctober()
	gone("October", s.query(0, 72), "1@0+24", "1@24+24", "1 2[48,72)")
	gone("of days that are cut", s.query(0, 4, 60, 72), "1@3+1", "1@5+1", "1@24+24", "1 2[48,72)")
	gone("a part of a day", s.query(36, 60), "~1@24+24", "1 2[48,60)")
	gone("where nobody has readings", s.query(72, 120))
	s.send(reading.Reading{Series: 2, Time: base + 80*hour, Value: 1})
	gone("what has come since", s.query(0, 120), "1@0+24", "1@24+24", "1 2[48,120)")
	gone("what has come since, alone", s.query(72, 120), "2[72,96)")
}

func TestFirstIsTheEarliestReadingOrRollup(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	first := func(what string, want float64, series ...int64) {
		t.Helper()
		got, ok, err := s.reader.First(t.Context(), s.project, series)
		if err != nil || ok != (want >= 0) || ok && got != base+int64(want*float64(hour)) {
			t.Errorf("%s: got %v h, %v, %v; want %v h", what, float64(got-base)/float64(hour), ok, err, want)
		}
	}
	first("of none", -1)
	first("of a series without readings", -1, 3)
	first("of one", 58, 2)
	first("of two", 3, 2, 1)
	s.forgetOctober()
	first("when October is gone", 3, 1, 2)
	s.mustDelete(t, s.project, reading.Deletion{Series: 1, From: base, To: base + 24*hour})
	first("when the first day is deleted", 34, 1, 2)
	s.send(reading.Reading{Series: 2, Time: base + hour})
	first("when an earlier one comes", 1, 1, 2)
	s.mustDelete(t, s.project, reading.DeleteAll(1), reading.DeleteAll(2))
	first("when all are deleted", -1, 1, 2)
}

func TestSummariesEndWithTheFirstErrorOfTheCaller(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	enough := errors.New("enough")
	for _, bounds := range [][]float64{{0, 72}, {0, 4, 24}} {
		q := s.query(bounds...)
		calls := 0
		_, err := s.reader.Summaries(t.Context(), q, func(*history.Unit) error { calls++; return enough })
		if err != enough || calls != 1 { //nolint:errorlint // as it is
			t.Errorf("%d calls, %v", calls, err)
		}
	}
	s.expect("afterwards", s.query(0, 48), "1@0+24", "1@24+24")
}

func TestSummariesBeginAgainWhenThePackerIsAhead(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	other := start(t, s.pool, history.Config{})
	other.mustRange(t, s.project, 1, 0, math.MaxInt64)
	// A deletion that the other process does not hear of, and a day that is settled without what it took.
	s.mustDelete(t, s.project, reading.Deletion{Series: 1, From: base + 24*hour, To: base + 48*hour})
	s.pack()
	s.send(reading.Reading{Series: 1, Time: base + 40*hour, Value: 1})
	found := other.mustSum(t, s.query(24, 48))
	if len(found.units) != 0 || !slices.Equal(found.read, []reading.Reading{{Series: 1, Time: base + 40*hour, Value: 1}}) {
		t.Errorf("%+v", found)
	}
}

func TestEstimateIsAboutWhatThereIs(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	var series []int64
	for id := int64(1); id <= 300; id++ {
		putChunk(t, pool, project, spread(id, 0, 500)...)
		series = append(series, id)
	}
	putYoung(t, pool, project, 1, slices.Concat(spread(1, day, 100), spread(2, day, 100))...)
	setPacked(t, pool, project, 1)
	p := start(t, pool, history.Config{})
	p.mustAppend(t, project, spread(3, day, 70)...)
	f := func(what string, series []int64, from, to float64, most, least, greatest int) {
		t.Helper()
		n, outlived, err := p.reader.Estimate(t.Context(), project, series, base+int64(from*float64(hour)), base+int64(to*float64(hour)), most)
		if err != nil || n < least || n > greatest || outlived {
			t.Errorf("%s: about %d, %v, %v; want from %d to %d", what, n, outlived, err, least, greatest)
		}
	}
	f("all", series, 0, 48, 1e6, 150_000, 152_500)
	f("in any order", []int64{3, 1, 2}, 0, 48, 1e6, 1770, 1770)
	f("half of a chunk", series[:1], 0, 0.41666, 1e6, 249, 251)
	f("the young ones of one", series[1:2], 24, 48, 1e6, 100, 100)
	f("the tail", series[2:3], 24, 48, 1e6, 70, 70)
	f("the tail, which is enough", series[:3], 0, 48, 50, 70, 70)
	f("an empty range", series, 5, 5, 1e6, 0, 0)
	f("another time", series, 96, 128, 1e6, 0, 0)
	f("no series", nil, 0, 48, 1e6, 0, 0)
}

func TestEstimateSaysWhereRollupsHaveOutlivedTheirReadings(t *testing.T) {
	t.Parallel()
	s := newRolledSite(t)
	f := func(what string, from, to float64, want bool, series ...int64) {
		t.Helper()
		_, outlived, err := s.reader.Estimate(t.Context(), s.project, series, base+int64(from*float64(hour)), base+int64(to*float64(hour)), 1)
		if err != nil || outlived != want {
			t.Errorf("%s: %v, %v", what, outlived, err)
		}
	}
	f("while all are there", -1e6, 1e6, false, 1, 2)
	s.forgetOctober()
	f("when October is gone", 0, 72, true, 2, 1)
	f("of a series that had none then", 0, 72, false, 2)
	f("of a part of a day", 46, 47, true, 1, 2)
	f("of November", 48, 72, false, 1, 2)
	exec(t, s.pool, `update projects set keep_readings_days = 0 where id = $1`, s.project)
	f("when the rest is kept for ever, and the month is still there", 0, 72, false, 1)
	exec(t, s.pool, `drop table chunk_202610`)
	f("when the month is not", 0, 72, true, 1)
	f("of the month behind", 48, 72, false, 1, 2)
	exec(t, s.pool, `drop table chunk_202611`)
	f("when that is not there, either", 48, 72, true, 2)
}

// While one writes, one packs and one settles, whoever sums up has each acknowledged reading once.
func TestSummariesMissNothingWhileOthersWork(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	p := start(t, pool, history.Config{})
	packer := pack.New(pool, pack.Config{Sizes: small, Packed: p.follower.Packed})
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	loop := func(f func() error) {
		work.Go(func() {
			for ctx.Err() == nil {
				if err := f(); err != nil && ctx.Err() == nil {
					t.Error(err)
					cancel()
				}
			}
		})
	}
	loop(func() error { return packer.Pack(ctx, project) })
	loop(func() error { return packer.Settle(ctx, project, time.UnixMicro(base+6*day)) })

	var mu sync.Mutex
	begun, acknowledged := model{}, model{}
	copyOf := func(m model) model {
		mu.Lock()
		defer mu.Unlock()
		c := model{}
		for series, rs := range m {
			c[series] = maps.Clone(rs)
		}
		return c
	}
	answered := make(chan struct{}) // something was, by rollups
	answer := sync.OnceFunc(func() { close(answered) })
	series := []int64{1, 2, 3}
	loop(func() error {
		q := history.SummaryQuery{Project: project, Series: series, Bounds: []int64{base, base + 3*day - 1, base + 6*day}}
		before := copyOf(acknowledged)
		found := p.mustSum(&quiet{T: t, cancel: cancel}, q)
		after := copyOf(begun)
		read := map[reading.Reading]int{}
		for _, r := range found.read {
			read[r]++
		}
		for _, u := range found.units {
			answer()
			low, high := len(before.between(u.Series, u.Start, u.Start+u.Length)), len(after.between(u.Series, u.Start, u.Start+u.Length))
			if u.Count < low || u.Count > high {
				t.Errorf("a unit counts %d readings; at first there were %d, at last %d", u.Count, low, high)
			}
			for _, r := range before.between(u.Series, u.Start, u.Start+u.Length) {
				read[r]++
			}
		}
		for _, id := range series {
			for _, r := range before.between(id, base, base+6*day) {
				if read[r] != 1 {
					t.Errorf("%v is there %d times", r, read[r])
					cancel()
				}
			}
		}
		return nil
	})

	rng := rand.New(rand.NewPCG(1, 2))
	for n := 0; n < 150 && ctx.Err() == nil; n++ {
		var rs []reading.Reading
		for range 1 + rng.IntN(5) {
			rs = append(rs, at(1+rng.Int64N(3), float64(rng.IntN(6*24*60))*60, 0))
		}
		if n%10 == 0 {
			s, d := 1+rng.Int64N(3), rng.Int64N(5)
			for i := range 220 {
				rs = append(rs, at(s, float64(d*86400+3600)+float64(i), 0))
			}
		}
		mu.Lock()
		begun.append(rs...)
		mu.Unlock()
		p.mustAppend(t, project, rs...)
		mu.Lock()
		acknowledged.append(rs...)
		mu.Unlock()
	}
	select {
	case <-answered:
	case <-ctx.Done():
	}
	cancel()
	work.Wait()
}

// quiet is a test that ends a goroutine of its own.
type quiet struct {
	*testing.T
	cancel func()
}

func (q *quiet) Fatal(args ...any) { q.Fatalf("%s", fmt.Sprint(args...)) }

func (q *quiet) Fatalf(format string, args ...any) {
	q.Errorf(format, args...)
	q.cancel()
	runtime.Goexit()
}
