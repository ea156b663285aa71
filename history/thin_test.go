package history_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

func (s *story) readExtremes(t *rapid.T) {
	series := anySeries(t)
	from, to := anyRange(t)
	n := rapid.SampledFrom([]int{0, 1, 2, 4, 9, 100, 10_000}).Draw(t, "n")
	want := stats.MinMax(s.model.between(series, from, to), n)
	minMax := rapid.SampledFrom([]func(context.Context, int64, int64, int64, int64, int) ([]reading.Reading, error){
		s.process.reader.MinMax, s.process.reader.MinMaxOfMany, s.process.reader.MinMaxOfMany,
	}).Draw(t, "how")
	got, err := minMax(context.Background(), s.project, series, from, to, n)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%d of series %d in [%d, %d):\ngot  %v\nwant %v", n, series, from, to, got, want)
	}
}

// Whatever is late, corrected, deleted, packed or not: it is stats.MinMax of all that there is.
func TestMinMaxEqualsANaiveModel(t *testing.T) {
	t.Parallel()
	pool := database(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := newStory(t, rt, pool)
		defer func() { s.process.stop() }()
		rt.Repeat(map[string]func(*rapid.T){
			"append":      s.append,
			"delete":      s.delete,
			"pack":        s.pack,
			"settle":      s.settle,
			"restart":     func(*rapid.T) { s.restart() },
			"thin":        s.readExtremes,
			"thin again":  s.readExtremes,
			"thin thrice": s.readExtremes,
		})
	})
}

// long puts n readings of series 1 into chunks of 1,000.
func long(t *testing.T, cfg history.Config, n int) (pool *pgxpool.Pool, p *process, project int64, rs []reading.Reading) {
	t.Helper()
	pool = database(t)
	project = newProject(t, pool)
	rs = gauge(1, n)
	for chunk := range slices.Chunk(rs, 1000) {
		putChunk(t, pool, project, chunk...)
	}
	setPacked(t, pool, project, 1)
	return pool, start(t, pool, cfg), project, rs
}

func TestMinMaxOfALongRangeIsThatOfItsReadings(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]history.Config{"decoded": {CacheBytes: -1}, "cached": {}} {
		_, p, project, rs := long(t, cfg, 50_000)
		// Some are late, some deleted and not packed yet: the last ones, and within others one that was sent again.
		for _, i := range []int{1700, 20_200, 30_500} {
			rs[i].Value = float64(1000 * i)
		}
		p.mustDelete(t, project,
			reading.Deletion{Series: 1, From: rs[20_100].Time, To: rs[22_900].Time},
			reading.Deletion{Series: 1, From: rs[22_100].Time, To: rs[24_900].Time},
			reading.Deletion{Series: 1, From: rs[49_800].Time, To: rs[49_999].Time + 1})
		p.mustAppend(t, project, rs[1700], rs[20_200], rs[30_500])
		again := rs[20_200]
		rs = slices.Insert(slices.Delete(rs[:49_800], 20_100, 24_900), 20_100, again)
		f := func(from, to int64, want []reading.Reading) {
			t.Helper()
			for range 2 {
				got, err := p.reader.MinMax(t.Context(), project, 1, from, to, 500)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, name, got, stats.MinMax(want, 500)...)
			}
		}
		f(0, math.MaxInt64, rs)
		for _, cut := range []int{0, 1, 500, 999, 3000} {
			left := rs[cut : len(rs)-cut]
			f(left[0].Time, left[len(left)-1].Time+1, left)
		}
		f(rs[20_000].Time, rs[20_200].Time, rs[20_000:20_200]) // few
	}
}

// A range is thinned whatever its length, but what has to be merged is held.
func TestMinMaxHoldsOnlyWhatHasToBeMerged(t *testing.T) {
	t.Parallel()
	_, p, project, rs := long(t, history.Config{MaxReadings: 2000}, 50_000)
	if _, err := p.reader.Range(t.Context(), project, 1, 0, math.MaxInt64); !fault.Is(err, fault.TooLarge) {
		t.Fatalf("a range: got %v", err)
	}
	p.mustAppend(t, project, rs[10])
	got, err := p.reader.MinMax(t.Context(), project, 1, 0, math.MaxInt64, 100)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "thinned", got, stats.MinMax(rs, 100)...)
	p.mustAppend(t, project, rs[5010], rs[6010], rs[7010])
	if _, err := p.reader.MinMax(t.Context(), project, 1, 0, math.MaxInt64, 100); !fault.Is(err, fault.TooLarge) {
		t.Errorf("four chunks to be merged: got %v", err)
	}
}

func TestMinMaxNamesAnUndecodableRow(t *testing.T) {
	t.Parallel()
	pool, p, project, rs := long(t, history.Config{}, 100_000)
	for _, payload := range [][]byte{{0}, {}} {
		exec(t, pool, `update chunk set payload = $2 where first_time = $1`, rs[3000].Time, payload)
		_, err := p.reader.MinMax(t.Context(), project, 1, 0, math.MaxInt64, 100)
		if err == nil || fault.Of(err).Code != fault.Internal || !strings.Contains(err.Error(), "of series 1") {
			t.Errorf("payload %x: got %v", payload, err)
		}
	}
}

func TestMinMaxEndsWithItsContext(t *testing.T) {
	t.Parallel()
	_, p, project, _ := long(t, history.Config{}, 40_000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.reader.MinMax(ctx, project, 1, 0, math.MaxInt64, 100); !errors.Is(err, context.Canceled) && !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestMinMaxOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	_, p, project, rs := long(t, history.Config{}, 40_000)
	f := func(why string, from, to int64) {
		t.Helper()
		got, err := p.reader.MinMax(t.Context(), project, 1, from, to, 100)
		if err != nil || len(got) > 0 {
			t.Errorf("%s: got %v, %v", why, got, err)
		}
	}
	f("an empty range", base, base)
	f("one before all readings", 0, base)
	f("one behind", rs[len(rs)-1].Time+1, math.MaxInt64)
	p.mustDelete(t, project, reading.DeleteAll(1))
	f("all deleted", 0, math.MaxInt64)
}
