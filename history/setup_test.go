package history_test

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

const (
	second = int64(time.Second / time.Microsecond)
	hour   = 3600 * second
	day    = 24 * hour
)

// base is the beginning of the days of the tests: the turn of a month is two days later.
var base = time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC).UnixMicro()

// process is what a server has of the readings.
type process struct {
	journal  *journal.Journal
	follower *journal.Follower
	tail     *tail.Tail
	reader   *history.Reader
	stop     func()
}

// start runs a process on the database of pool until the test ends.
func start(t testing.TB, pool *pgxpool.Pool, cfg history.Config) *process {
	t.Helper()
	p := &process{tail: tail.New()}
	p.follower = journal.NewFollower(pool, p.tail)
	p.journal = journal.New(pool, p.follower, p.tail.LatestTime, journal.Config{})
	p.reader = history.New(pool, p.tail, p.follower, cfg)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- p.journal.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(p.stop)
	return p
}

// database is one with the partitions of the tests' days.
func database(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool := testdb.New(t)
	first := time.UnixMicro(base).UTC()
	if err := store.MakePackPartitions(t.Context(), pool, first, first.AddDate(0, 0, 10)); err != nil {
		t.Fatal(err)
	}
	return pool
}

// failer is a test, or one round of rapid's.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func newProject(t failer, pool *pgxpool.Pool) (id int64) {
	t.Helper()
	if err := pool.QueryRow(context.Background(), `insert into projects (name) values ('test') returning id`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func exec(t failer, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(context.Background(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (p *process) mustAppend(t failer, project int64, rs ...reading.Reading) {
	t.Helper()
	if _, err := p.journal.Append(context.Background(), project, slices.Clone(rs)); err != nil {
		t.Fatal(err)
	}
}

func (p *process) mustDelete(t failer, project int64, ds ...reading.Deletion) {
	t.Helper()
	if _, err := p.journal.Delete(context.Background(), project, ds); err != nil {
		t.Fatal(err)
	}
}

func (p *process) mustRange(t failer, project, series, from, to int64) []reading.Reading {
	t.Helper()
	rs, err := p.reader.Range(context.Background(), project, series, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// putChunk writes a row of chunk as the packer would.
func putChunk(t failer, pool *pgxpool.Pool, project int64, rs ...reading.Reading) {
	t.Helper()
	put(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		return store.CopyChunks(ctx, tx, project, []store.ChunkRow{{
			Series: rs[0].Series, First: rs[0].Time, Last: rs[len(rs)-1].Time, Count: len(rs), Payload: reading.Compact(nil, rs),
		}})
	})
}

// putYoung writes a run of young as the packer would: one row, of one day and one block.
func putYoung(t failer, pool *pgxpool.Pool, project, upto int64, rs ...reading.Reading) {
	t.Helper()
	put(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		return store.CopyYoung(ctx, tx, project, []store.YoungRow{youngRow(upto, rs...)})
	})
}

func youngRow(upto int64, rs ...reading.Reading) store.YoungRow {
	first, last := rs[0], rs[len(rs)-1]
	row := store.YoungRow{
		Day: time.UnixMicro(first.Time).UTC().Truncate(24 * time.Hour), Block: store.YoungBlock(first.Series),
		FirstSeries: first.Series, LastSeries: last.Series, Upto: upto, Since: upto - 1, Part: 1, Parts: 1,
		FirstTime: math.MaxInt64, LastTime: math.MinInt64, Count: len(rs), Payload: reading.Compact(nil, rs),
	}
	for _, r := range rs {
		row.FirstTime, row.LastTime = min(row.FirstTime, r.Time), max(row.LastTime, r.Time)
	}
	return row
}

func put(t failer, pool *pgxpool.Pool, write func(context.Context, pgx.Tx) error) {
	t.Helper()
	ctx := context.Background()
	if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return write(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

// setPacked says that a project's journal, whose head it is, is packed up to an offset.
func setPacked(t failer, pool *pgxpool.Pool, project, upto int64) {
	t.Helper()
	exec(t, pool, `insert into journal_head (project_id, head) values ($1, $2) on conflict do nothing`, project, upto)
	exec(t, pool, `insert into packing (project_id, packed_to) values ($1, $2)
		on conflict (project_id) do update set packed_to = excluded.packed_to`, project, upto)
}

// model is what the readings are as one would explain it: the last value of each series and time that is not deleted.
type model map[int64]map[int64]float64

func (m model) append(rs ...reading.Reading) {
	for _, r := range rs {
		if m[r.Series] == nil {
			m[r.Series] = make(map[int64]float64)
		}
		m[r.Series][r.Time] = r.Value
	}
}

func (m model) delete(ds ...reading.Deletion) {
	for _, d := range ds {
		maps.DeleteFunc(m[d.Series], func(t int64, _ float64) bool { return d.Covers(t) })
	}
}

// between returns the readings of a series with from <= time < to.
func (m model) between(series, from, to int64) []reading.Reading {
	var rs []reading.Reading
	for t, v := range m[series] {
		if from <= t && t < to {
			rs = append(rs, reading.Reading{Series: series, Time: t, Value: v})
		}
	}
	slices.SortFunc(rs, reading.Compare)
	return rs
}

// inTime returns the readings of several series in order of time, then series.
func (m model) inTime(series []int64, from, to int64) []reading.Reading {
	var rs []reading.Reading
	for _, s := range series {
		rs = append(rs, m.between(s, from, to)...)
	}
	slices.SortFunc(rs, func(a, b reading.Reading) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Series, b.Series))
	})
	return rs
}

// at returns a reading at a time after base, in seconds.
func at(series int64, seconds float64, value float64) reading.Reading {
	return reading.Reading{Series: series, Time: base + int64(seconds*float64(second)), Value: value}
}
