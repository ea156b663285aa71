package analysis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
	"github.com/readout-dev/readout/store"
)

// fleet is how many series have readings, and how many each has a day.
type fleet struct{ series, days, each int }

// benchBegin is the beginning of what the benchmarks read.
var benchBegin = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// gauge makes the readings of a series.
type gauge struct {
	series int64
	rng    *rand.Rand
	value  int
	month  []reading.Reading // which is not flushed
}

// read adds so many readings of a day.
func (g *gauge) read(day time.Time, n int) {
	for i := range n {
		g.value += g.rng.IntN(41) - 20
		g.month = append(g.month, reading.Reading{
			Series: g.series, Time: day.UnixMicro() + int64(i)*int64(24*time.Hour/time.Microsecond)/int64(n), Value: float64(g.value) / 100,
		})
	}
}

// flush makes chunks of the month.
func (g *gauge) flush() (chunks []store.ChunkRow) {
	for rs := range slices.Chunk(g.month, 1000) {
		chunks = append(chunks, store.ChunkRow{
			Series: g.series, First: rs[0].Time, Last: rs[len(rs)-1].Time, Count: len(rs), Payload: reading.Compact(nil, rs),
		})
	}
	g.month = g.month[:0]
	return chunks
}

// rest puts the readings of a fleet where they are when all is packed, settled and closed: in chunks by the month, and in
// rollups.
func (f fleet) rest(b *testing.B, pool *pgxpool.Pool, project int64) {
	b.Helper()
	if err := store.MakePackPartitions(b.Context(), pool, benchBegin, benchBegin.AddDate(0, 0, f.days)); err != nil {
		b.Fatal(err)
	}
	gauges := make([]*gauge, f.series)
	for s := range gauges {
		gauges[s] = &gauge{series: int64(s + 1), rng: rand.New(rand.NewPCG(1, uint64(s))), value: 20_000}
	}
	for d := range f.days { // rollups lie day by day, as they are written
		at := benchBegin.AddDate(0, 0, d)
		last := d == f.days-1 || at.AddDate(0, 0, 1).Day() == 1
		var chunks []store.ChunkRow
		var days, hours []store.Rollup
		for _, g := range gauges {
			first := len(g.month)
			g.read(at, f.each)
			r, hs := pack.Rollups(g.month[first:])
			days, hours = append(days, r), append(hours, hs...)
			if last {
				chunks = append(chunks, g.flush()...)
			}
		}
		err := pgx.BeginFunc(context.Background(), pool, func(tx pgx.Tx) error {
			if err := store.CopyChunks(b.Context(), tx, project, chunks); err != nil {
				return err
			}
			return store.CopyRollups(b.Context(), tx, project, days, hours)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, sql := range []string{
		`insert into journal_head (project_id, head) values ($1, 1)`, `insert into packing (project_id, packed_to) values ($1, 1)`,
	} {
		if _, err := pool.Exec(b.Context(), sql, project); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := pool.Exec(b.Context(), `vacuum analyze`); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAnswer asks for what dashboards ask for, of readings at rest: fetched and decoded each time, or cached.
func BenchmarkAnswer(b *testing.B) {
	f := fleet{series: 100, days: 365, each: 133}
	pool := testdb.New(b)
	project := newProject(b, pool)
	f.rest(b, pool, project)
	groups := make([][]analysis.Member, 10)
	for s := range f.series {
		groups[s%10] = append(groups[s%10], analysis.Member{Project: project, Series: int64(s + 1), Labels: map[string]string{"room": fmt.Sprint(s % 10)}})
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	year, to := benchBegin.UnixMicro(), benchBegin.AddDate(0, 0, f.days).UnixMicro()
	from, month, week := to-90*day, to-30*day, to-7*day
	p99, _ := stats.Quantile(0.99), 0
	for _, q := range []struct {
		name   string
		groups [][]analysis.Member
		from   int64
		every  string
		zone   *time.Location
		need   stats.Need
	}{
		{"p99 of 10 groups by day, 90 days", groups, from, "P1D", nil, stats.Need{Values: true}},
		{"mean of 10 groups by day, 90 days", groups, from, "P1D", nil, stats.Need{}},
		{"integral of 10 groups by day, 90 days", groups, from, "P1D", nil, stats.Need{Line: true}},
		{"p99 of 10 groups by hour, 7 days", groups, week, "PT1H", nil, stats.Need{Values: true}},
		{"p99 of a series by hour, 30 days", [][]analysis.Member{groups[0][:1]}, month, "PT1H", nil, stats.Need{Values: true}},
		{"mean of all by month in Berlin, 365 days", [][]analysis.Member{slices.Concat(groups...)}, year, "P1M", berlin, stats.Need{}},
		{"p95 of a series in 500 buckets, 365 days", [][]analysis.Member{groups[0][:1]}, year, "PT17H31M12S", nil, stats.Need{Values: true}},
	} {
		for name, cache := range map[string]int64{"fetched": -1, "cached": 256 << 20} {
			b.Run(q.name+"/"+name, func(b *testing.B) {
				p := start(b, pool, history.Config{CacheBytes: cache})
				engine := analysis.New(p.reader, analysis.Config{})
				r := analysis.Request{
					Groups: q.groups, From: &q.from, To: &to, Window: stats.Window{Every: period(q.every), Zone: q.zone}, Need: q.need, NoTotals: true,
				}
				var readings, rollups int
				b.ReportAllocs()
				for b.Loop() {
					a, err := engine.Answer(b.Context(), r)
					if err != nil {
						b.Fatal(err)
					}
					readings, rollups = a.Explain.Readings, a.Explain.Rollups
					for _, g := range a.Groups {
						for _, bucket := range g.Buckets {
							if _, ok := p99(bucket); !ok && q.need.Values {
								b.Fatal("no quantile")
							}
						}
					}
				}
				b.ReportMetric(float64(readings), "readings")
				b.ReportMetric(float64(rollups), "rollups")
			})
		}
	}
}
