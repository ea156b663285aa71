package store_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func TestPackPartitionsAreMonthsAndYears(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2025, 12, 31, 23), utc(2026, 2, 1, 0))
	f := func(parent string, want ...string) {
		t.Helper()
		if got := partitionsOf(t, pool, parent); !slices.Equal(got, want) {
			t.Errorf("the partitions of %s are\n%q, want\n%q", parent, got, want)
		}
	}
	f("chunk",
		"chunk_202512 FOR VALUES FROM ('1764547200000000') TO ('1767225600000000')",
		"chunk_202601 FOR VALUES FROM ('1767225600000000') TO ('1769904000000000')",
		"chunk_202602 FOR VALUES FROM ('1769904000000000') TO ('1772323200000000')")
	f("rollup_hour",
		"rollup_hour_202512 FOR VALUES FROM ('2025-12-01 00:00:00+00') TO ('2026-01-01 00:00:00+00')",
		"rollup_hour_202601 FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')",
		"rollup_hour_202602 FOR VALUES FROM ('2026-02-01 00:00:00+00') TO ('2026-03-01 00:00:00+00')")
	f("rollup_day",
		"rollup_day_2025 FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2026-01-01 00:00:00+00')",
		"rollup_day_2026 FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2027-01-01 00:00:00+00')")
}

func TestPackPartitionsTakeTheirFirstAndLastMicrosecond(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	last := utc(2026, 3, 1, 0).Add(-time.Microsecond)
	makePacked(t, pool, utc(1970, 1, 1, 0), utc(1970, 1, 1, 0))
	makePacked(t, pool, last, last)
	for _, at := range []time.Time{utc(1970, 1, 1, 0), utc(2026, 2, 1, 0), last} {
		putPacked(t, pool, 1, 1, at)
	}
	var got []string
	query(t, pool, &got, `select tableoid::regclass::text from chunk order by first_time`)
	if want := []string{"chunk_197001", "chunk_202602", "chunk_202602"}; !slices.Equal(got, want) {
		t.Errorf("the rows are in %q, want %q", got, want)
	}
}

func TestPackPartitionsAreMadeOnceByMany(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := store.MakePackPartitions(t.Context(), pool, utc(2026, 1, 1, 0), utc(2026, 6, 1, 0)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := len(partitionsOf(t, pool, "chunk")); got != 6 {
		t.Errorf("chunk has %d partitions, want 6", got)
	}
}

func TestPackPartitionsThatStandCostOneStatement(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	makePacked(t, testdb.Open(t, url), utc(2026, 1, 1, 0), utc(2026, 3, 1, 0))
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	var statements counter
	cfg.ConnConfig.Tracer = &statements
	counted, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer counted.Close()

	makePacked(t, counted, utc(2026, 1, 1, 0), utc(2026, 3, 1, 0))

	if n := statements.Load(); n != 1 {
		t.Errorf("it took %d statements, want 1", n)
	}
}

// counter counts statements.
type counter struct{ atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.Add(1)
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestPackPartitionsKeepCompressedPayloadsInline(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2026, 1, 1, 0), utc(2026, 1, 1, 0))
	var got []string
	query(t, pool, &got, `
		select a.attstorage::text || ' ' || array_to_string(c.reloptions, ',') || ' ' ||
			(select count(*) from pg_constraint where conrelid = c.oid and contype = 'c')
		from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relname = 'chunk_202601' and a.attname = 'payload'`)
	if want := "e toast_tuple_target=8160 0"; !slices.Equal(got, []string{want}) {
		t.Errorf("storage, options and number of checks are %q, want %q", got, want)
	}
}

func TestPackPartitionsDoNotTouchATableOfTheirName(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	exec(t, pool, `create table chunk_202601 (like chunk)`)
	err := store.MakePackPartitions(t.Context(), pool, utc(2026, 1, 1, 0), utc(2026, 1, 1, 0))
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("the error is %v, want %v", err, fault.Conflict)
	}
	if n := countRows(t, pool, `select from pg_class where relname = 'chunk_202601' and not relispartition`); n != 1 {
		t.Error("the table is not there as it was")
	}
}

// makePacked makes the partitions of packed readings from first to last.
func makePacked(t *testing.T, pool *pgxpool.Pool, first, last time.Time) {
	t.Helper()
	if err := store.MakePackPartitions(t.Context(), pool, first, last); err != nil {
		t.Fatal(err)
	}
}

// putPacked gives a series, at each of the times, a chunk, a segment, an hour's and a day's rollup.
func putPacked(t *testing.T, pool *pgxpool.Pool, project, series int64, times ...time.Time) {
	t.Helper()
	for _, at := range times {
		us, day := at.UnixMicro(), at.Truncate(24*time.Hour)
		exec(t, pool, `insert into chunk (project_id, series_id, first_time, last_time, count, payload) values ($1, $2, $3, $3, 1, '')`,
			project, series, us)
		exec(t, pool, `insert into young values ($1, $2, $3, $4, $4, 1, 1, 1, 0, 0, $5, $5, 1, '')`, project, day, series>>10, series, us)
		for table, start := range map[string]time.Time{"rollup_hour": at.Truncate(time.Hour), "rollup_day": day} {
			exec(t, pool, `insert into `+table+` values ($1, $2, $3, 1, 0, 0, 0, 0, 0, 0, $4, $4, '')`, project, series, start, at)
		}
	}
}

func utc(year int, month time.Month, day, hour int) time.Time {
	return time.Date(year, month, day, hour, 0, 0, 0, time.UTC)
}

// countRows returns how many rows a select has.
func countRows(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), `select count(*) from (`+sql+`) counted`, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// query reads a select's only column into all.
func query[T any](t *testing.T, pool *pgxpool.Pool, all *[]T, sql string, args ...any) {
	t.Helper()
	rows, err := pool.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	if *all, err = pgx.CollectRows(rows, pgx.RowTo[T]); err != nil {
		t.Fatal(err)
	}
}
