package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func deleteExpired(t *testing.T, pool *pgxpool.Pool, now time.Time) int64 {
	t.Helper()
	n, err := store.DeleteExpired(t.Context(), pool, now)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// standing returns the times of a project's rows of a table's time column, in order.
func standing(t *testing.T, pool *pgxpool.Pool, project int64, table, column string) (days []string) {
	t.Helper()
	query(t, pool, &days, `select to_char(`+column+`, 'YYYY-MM-DD') from `+table+` where project_id = $1 order by 1`, project)
	return days
}

const chunkDay = `timestamptz 'epoch' + first_time * interval '1 microsecond'`

func TestDeleteExpiredTakesOnlyWhatAProjectDoesNotKeep(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2025, 11, 1, 0), utc(2026, 2, 1, 0))
	days := []time.Time{utc(2025, 11, 30, 5), utc(2025, 12, 1, 5), utc(2025, 12, 31, 5), utc(2026, 1, 1, 5), utc(2026, 2, 3, 5)}
	short, long, always := keeping(t, pool, 20, 45), keeping(t, pool, 60, 0), keeping(t, pool, 0, 20)
	for _, p := range []int64{short, long, always} {
		putPacked(t, pool, p, 1, days...)
	}

	// 20 days before it is January 21, 45 days are December 27, 60 days December 12.
	if n := deleteExpired(t, pool, utc(2026, 2, 10, 0)); n != 3+3+1+1+1 {
		t.Errorf("it deleted %d rows, want 9", n)
	}
	f := func(project int64, table, column string, want ...string) {
		t.Helper()
		if got := standing(t, pool, project, table, column); !slices.Equal(got, want) {
			t.Errorf("of %s stands %q, want %q", table, got, want)
		}
	}
	nov30, dec1, dec31, jan1, feb3 := "2025-11-30", "2025-12-01", "2025-12-31", "2026-01-01", "2026-02-03"
	f(short, "chunk", chunkDay, jan1, feb3)
	f(short, "young", "day", jan1, feb3)
	f(short, "rollup_hour", "start", dec1, dec31, jan1, feb3)
	f(short, "rollup_day", "start", nov30, dec1, dec31, jan1, feb3) // 2025 has not been over for 45 days
	f(long, "chunk", chunkDay, dec1, dec31, jan1, feb3)
	f(long, "young", "day", dec1, dec31, jan1, feb3)
	f(long, "rollup_day", "start", nov30, dec1, dec31, jan1, feb3)
	f(always, "chunk", chunkDay, nov30, dec1, dec31, jan1, feb3)
	f(always, "young", "day", nov30, dec1, dec31, jan1, feb3)
	f(always, "rollup_hour", "start", nov30, dec1, dec31, jan1, feb3)

	if n := deleteExpired(t, pool, utc(2026, 2, 10, 0)); n != 0 {
		t.Errorf("once more it deleted %d rows", n)
	}
}

func TestDeleteExpiredGoesOnPieceByPiece(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2025, 12, 1, 0), utc(2025, 12, 1, 0))
	short, always := keeping(t, pool, 7, 7), keeping(t, pool, 0, 0)
	const rows = 2*store.DeletePiece + 1
	for _, p := range []int64{short, always} {
		exec(t, pool, `insert into chunk (project_id, series_id, first_time, last_time, count, payload)
			select $1, s % 3, $2::bigint + s, $2::bigint + s, 1, '' from generate_series(1, $3::int) s`, p, utc(2025, 12, 1, 0).UnixMicro(), rows)
		exec(t, pool, `insert into young select $1, '2025-12-01', 0, s, s, 1, 1, 1, 0, 2, 0, 0, 1, '' from generate_series(1, $2::int) s`, p, rows)
	}
	if n := deleteExpired(t, pool, utc(2026, 2, 1, 0)); n != 2*rows {
		t.Errorf("it deleted %d rows, want %d", n, 2*rows)
	}
	if n := countRows(t, pool, `select from chunk where project_id = $1`, always); n != rows {
		t.Errorf("the other project has %d rows, want %d", n, rows)
	}
}

func TestEmptyProjectTakesAllOfOneProject(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2025, 11, 1, 0), utc(2026, 2, 1, 0))
	a, b := newProject(t, pool), newProject(t, pool)
	for _, p := range []int64{a, b} {
		appendTo(t, pool, p)
		putPacked(t, pool, p, 1, utc(2025, 11, 3, 0), utc(2026, 2, 1, 0))
		putLatest(t, pool, store.Newest{Project: p, Series: 1, Offset: 1})
	}
	exec(t, pool, `insert into journal select $1, s, now(), gen_random_uuid(), 1, 1, '' from generate_series(2, $2) s`, a, 2*store.DeletePiece)

	if err := store.EmptyProject(t.Context(), pool, a); err != nil {
		t.Fatal(err)
	}

	for table, want := range map[string]int{"journal": 1, "young": 2, "chunk": 2, "rollup_hour": 2, "rollup_day": 2, "latest": 1} {
		if n := countRows(t, pool, `select from `+table+` where project_id = $1`, a); n != 0 {
			t.Errorf("%d rows of %s are left", n, table)
		}
		if n := countRows(t, pool, `select from `+table+` where project_id = $1`, b); n != want {
			t.Errorf("the other project has %d rows of %s, want %d", n, table, want)
		}
	}
}
