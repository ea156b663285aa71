package history_test

import (
	"testing"
	"time"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// BenchmarkSummaries answers by the rollups of 365 days, of 1,000 series and of one: with rows as slow sensors have them,
// and with those of quick ones, which have sketches and hours.
func BenchmarkSummaries(b *testing.B) {
	const series = 1000
	pool := database(b)
	project := newProject(b, pool)
	first := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(1, 0, 0)
	if err := store.MakePackPartitions(b.Context(), pool, first, last); err != nil {
		b.Fatal(err)
	}
	const rows = `insert into %s (project_id, series_id, start, count, sum, m2, min, max, first, last, first_at, last_at, sketch, area, increase)
		select $1, series, start, $6, 1, 2, 3, 4, 5, 6, start, start + interval '50 minutes', $7, 7, 8
		from generate_series($2::timestamptz, $3::timestamptz - interval '1 hour', $4::interval) start, generate_series(1, $5) series`
	insert := func(table string, days int, every string, series, count int, sketch []byte) {
		exec(b, pool, "insert into "+table+rows[len("insert into %s"):], project, first, first.AddDate(0, 0, days), every, series, count, sketch)
	}
	insert("rollup_day", 365, "1 day", series, 137, []byte{})
	// 58 chunks of each series, of which only the first of all is ever decoded.
	putChunk(b, pool, project, reading.Reading{Series: 1, Time: first.UnixMicro(), Value: 1})
	exec(b, pool, `insert into chunk (project_id, series_id, first_time, last_time, count, payload)
		select $1, series, $2 + i * 6::bigint * 86400000000 + series * 1000000, $2 + (i + 1) * 6::bigint * 86400000000, 860, ''
		from generate_series(0, 57) i, generate_series(1, $3::int) series
		where date_trunc('month', timestamptz '2025-01-01Z' + i * interval '6 days')
			= date_trunc('month', timestamptz '2025-01-01Z' + (i + 1) * interval '6 days')`, project, first.UnixMicro(), series)
	setPacked(b, pool, project, 1)
	exec(b, pool, `vacuum analyze rollup_day`)
	exec(b, pool, `vacuum analyze chunk`)
	p := start(b, pool, history.Config{})
	ids := make([]int64, series)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	sum := func(b *testing.B, ids []int64, step time.Duration, plus time.Duration, q history.SummaryQuery, want int) {
		q.Project, q.Series = project, ids
		for t := first.Add(plus); t.Before(last); t = t.Add(step) {
			q.Bounds = append(q.Bounds, t.UnixMicro())
		}
		q.Bounds = append(q.Bounds, last.UnixMicro())
		b.ReportAllocs()
		b.ResetTimer()
		for b.Loop() {
			n := 0
			left, err := p.reader.Summaries(b.Context(), q, func(*history.Unit) error { n++; return nil })
			if err != nil {
				b.Fatal(err)
			}
			if n != want {
				b.Fatalf("%d units and %d parts, want %d units", n, len(left), want)
			}
		}
	}
	b.Run("days", func(b *testing.B) { sum(b, ids, 24*time.Hour, 0, history.SummaryQuery{}, 365*series) })
	b.Run("days-lines", func(b *testing.B) { sum(b, ids, 24*time.Hour, 0, history.SummaryQuery{Lines: true}, 365*series) })
	b.Run("months-in-berlin", func(b *testing.B) {
		sum(b, ids, 30*24*time.Hour, 23*time.Hour, history.SummaryQuery{}, (365-13)*series)
	})
	b.Run("days-of-one", func(b *testing.B) { sum(b, ids[:1], 24*time.Hour, 0, history.SummaryQuery{}, 365) })

	b.Run("estimate", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := p.reader.Estimate(b.Context(), project, ids, first.UnixMicro(), last.UnixMicro(), 500_000); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if _, ok, err := p.reader.First(b.Context(), project, ids); err != nil || !ok {
				b.Fatal(ok, err)
			}
		}
	})

	sketch := make([]byte, 1200)
	insert("rollup_hour", 90, "1 hour", 100, 600, sketch)
	exec(b, pool, `update rollup_day set count = 24 * 600, sketch = $1 where series_id <= 100`, sketch)
	exec(b, pool, `vacuum analyze rollup_hour`)
	exec(b, pool, `vacuum analyze rollup_day`)
	b.Run("days-sketches-of-100", func(b *testing.B) {
		sum(b, ids[:100], 24*time.Hour, 0, history.SummaryQuery{Sketches: true}, 365*100)
	})
	b.Run("hours-sketches-of-100", func(b *testing.B) {
		sum(b, ids[:100], time.Hour, 0, history.SummaryQuery{Sketches: true}, 90*24*100)
	})
}
