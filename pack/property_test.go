package pack_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

// Late, repeated, corrected and deleted readings, packed, merged and settled at random moments: what is stored is what a naive
// recomputation gives, after each step.
func TestWhatIsPackedEqualsANaiveRecomputation(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	rapid.Check(t, func(r *rapid.T) {
		s := newSite(t, pool, pack.Config{Sizes: tiny})
		steps := rapid.IntRange(1, 25).Draw(r, "steps")
		for range steps {
			step(r, s)
			if t.Failed() {
				r.FailNow()
			}
		}
		s.pack()
		s.settle(clock("2026-12-01 00:00:00"))
		s.check()
		if t.Failed() {
			r.FailNow()
		}
	})
}

var (
	someSeries = rapid.SampledFrom([]int64{4, 5, 1024})
	someTime   = rapid.Custom(func(r *rapid.T) int64 {
		day := rapid.SampledFrom([]string{
			"2026-01-30 00:00:00", "2026-01-31 23:30:00", "2026-02-01 00:00:00", "2026-03-01 12:00:00",
		}).Draw(r, "day")
		return at(day) + int64(rapid.IntRange(0, 40).Draw(r, "minute"))*60_000_000
	})
	someNow = rapid.SampledFrom([]time.Time{
		clock("2026-01-31 00:30:00"), clock("2026-02-01 01:00:00"), clock("2026-02-01 23:59:00"), clock("2026-02-03 05:00:00"),
		clock("2026-03-05 00:00:00"),
	})
)

func step(r *rapid.T, s *site) {
	switch rapid.IntRange(0, 11).Draw(r, "step") {
	case 0, 1, 2:
		var rs []reading.Reading
		for range rapid.IntRange(1, 12).Draw(r, "readings") {
			rs = append(rs, reading.Reading{Series: someSeries.Draw(r, "series"), Time: someTime.Draw(r, "time"), Value: someValue(r)})
		}
		s.append(rs...)
	case 3, 4:
		n := rapid.SampledFrom([]int{4, 13, 35, 60}).Draw(r, "burst")
		s.append(burst(r, n, time.Minute)...)
	case 5:
		s.append(burst(r, 60, time.Minute)...)
		s.pack()
		s.settle(someNow.Draw(r, "now"))
		if rapid.IntRange(0, 4).Draw(r, "large") == 0 {
			s.append(burst(r, rapid.SampledFrom([]int{250, 700}).Draw(r, "burst"), 3*time.Second)...)
		}
	case 6:
		var ds []reading.Deletion
		for range rapid.IntRange(1, 3).Draw(r, "deletions") {
			ds = append(ds, someDeletion(r))
		}
		s.remove(ds...)
	case 7, 8, 9:
		s.pack()
		s.check()
	default:
		s.settle(someNow.Draw(r, "now"))
		s.check()
	}
}

func someDeletion(r *rapid.T) reading.Deletion {
	series, from := someSeries.Draw(r, "series"), someTime.Draw(r, "from")
	switch minutes := rapid.SampledFrom([]int{-1, 0, 0, 1, 7, 30, 24 * 60, 48 * 60}).Draw(r, "minutes"); minutes {
	case -1:
		return reading.DeleteAll(series)
	case 0: // one reading
		return reading.Deletion{Series: series, From: from, To: from + 1}
	default:
		return reading.Deletion{Series: series, From: from, To: from + int64(minutes)*60_000_000}
	}
}

func burst(r *rapid.T, n int, apart time.Duration) (rs []reading.Reading) {
	series, from := someSeries.Draw(r, "series"), someTime.Draw(r, "from")
	values := rapid.SampledFrom([]int{3, 1000}).Draw(r, "values")
	seed := rapid.IntRange(0, 1000).Draw(r, "seed")
	for i := range n {
		rs = append(rs, reading.Reading{Series: series, Time: from + int64(i)*apart.Microseconds(), Value: float64((seed+i*i*7)%values) / 8})
	}
	return rs
}

func someValue(r *rapid.T) float64 { return float64(rapid.IntRange(-50, 50).Draw(r, "value")) / 4 }
