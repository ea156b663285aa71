package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func putLatest(t *testing.T, pool *pgxpool.Pool, rows ...store.Newest) {
	t.Helper()
	if err := store.PutLatest(t.Context(), pool, rows); err != nil {
		t.Fatal(err)
	}
}

// latest returns "project series offset time value" of each row.
func latest(t *testing.T, pool *pgxpool.Pool) (all []string) {
	t.Helper()
	query(t, pool, &all, `
		select format('%s %s %s %s %s', project_id, series_id, "offset",
			coalesce((extract(epoch from "time") * 1000000)::bigint::text, '-'), coalesce(value::text, '-'))
		from latest order by project_id, series_id`)
	return all
}

func TestPutLatestKeepsTheNewestNews(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	f := func(what string, rows []store.Newest, want ...string) {
		t.Helper()
		putLatest(t, pool, rows...)
		if got := latest(t, pool); !slices.Equal(got, want) {
			t.Errorf("%s: the rows are %q, want %q", what, got, want)
		}
	}
	const at = 1_763_719_200_123_456
	f("nothing", nil)
	f("two projects, in any order", []store.Newest{
		{Project: 2, Series: 1, Offset: 3, Time: at, Value: -0.5}, {Project: 1, Series: 9, Offset: 4, Time: 0, Value: 1e300},
	}, "1 9 4 0 1e+300", "2 1 3 1763719200123456 -0.5")
	f("older news and the same news", []store.Newest{
		{Project: 1, Series: 9, Offset: 3, Time: at, Value: 7}, {Project: 2, Series: 1, Offset: 3, Time: at, Value: 8},
	}, "1 9 4 0 1e+300", "2 1 3 1763719200123456 -0.5")
	f("newer news of an older time, several of one series", []store.Newest{
		{Project: 1, Series: 9, Offset: 7, Time: at, Value: 7},
		{Project: 1, Series: 9, Offset: 6, Time: at + 5, Value: 6},
		{Project: 2, Series: 1, Offset: 4, Time: 1, Value: 1},
		{Project: 2, Series: 1, Offset: 4, Time: 2, Value: 2},
	}, "1 9 7 1763719200123456 7", "2 1 4 2 2")
	f("none left", []store.Newest{{Project: 1, Series: 9, Offset: 8, Time: 5, Value: 5, None: true}}, "1 9 8 - -", "2 1 4 2 2")
	f("and again one", []store.Newest{{Project: 1, Series: 9, Offset: 9, Time: 5, Value: 5}}, "1 9 9 5 5", "2 1 4 2 2")
}

func TestPutLatestWritesNothingWhenNothingIsNew(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	rows := []store.Newest{{Project: 1, Series: 1, Offset: 3, Value: 1}, {Project: 1, Series: 2, Offset: 3, Value: 1}}
	putLatest(t, pool, rows...)
	// A row that ON CONFLICT has locked bears the mark of it in xmax.
	const versions = `select ctid::text || ' ' || xmin::text || ' ' || xmax::text from latest order by 1`
	var before, after []string
	query(t, pool, &before, versions)
	rows[0].Offset = 2
	putLatest(t, pool, rows...)
	query(t, pool, &after, versions)
	if !slices.Equal(before, after) {
		t.Errorf("the rows were %q and are %q", before, after)
	}
}

func TestPutLatestTakesPartInATransaction(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if err := store.PutLatest(t.Context(), tx, []store.Newest{{Project: 1, Series: 1, Offset: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := latest(t, pool); len(got) != 0 {
		t.Errorf("after a rollback the rows are %q", got)
	}
}

// Many write at once, each in its own order, as flushers and packers of several processes do.
func TestPutLatestByManyIsWithoutDeadlocks(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	const writers, rounds, series = 6, 20, 300
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for round := range rounds {
				rows := make([]store.Newest, series)
				for i, s := range rand.Perm(series) {
					offset := int64(round*writers + w + 1)
					rows[i] = store.Newest{Project: 1, Series: int64(s), Offset: offset, Time: offset, Value: float64(offset)}
				}
				if err := store.PutLatest(t.Context(), pool, rows); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	const last = writers * rounds
	for s, got := range latest(t, pool) {
		if want := fmt.Sprintf("1 %d %d %d %d", s, last, last, last); got != want {
			t.Errorf("a row is %q, want %q", got, want)
		}
	}
}
