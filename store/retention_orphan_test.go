package store_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func TestOrphanProjectsAreFoundInEachTable(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2026, 1, 1, 0), utc(2026, 2, 1, 0))
	lives, other := newProject(t, pool), newProject(t, pool)
	at := utc(2026, 2, 1, 0)
	for _, p := range []int64{7, lives, 8, other, other + 1, other + 9} {
		putPacked(t, pool, p, 1, at)
	}
	exec(t, pool, `delete from young where project_id <> 7`)
	exec(t, pool, `delete from chunk where project_id <> 8`)
	exec(t, pool, `delete from rollup_hour where project_id not in ($1, $2)`, other+1, lives)
	exec(t, pool, `delete from rollup_day where project_id not in ($1, $2)`, other+9, other)
	putLatest(t, pool, store.Newest{Project: 9, Series: 1, Offset: 1}, store.Newest{Project: lives, Series: 1, Offset: 1})

	got, err := store.OrphanProjects(t.Context(), pool)

	if want := []int64{7, 8, 9, other + 1, other + 9}; !slices.Equal(got, want) || err != nil {
		t.Errorf("the orphans are %v, %v; want %v", got, err, want)
	}
}

// newSeries makes a device with one series.
func newSeries(t *testing.T, pool *pgxpool.Pool, project int64, device string) (id int64) {
	t.Helper()
	row := pool.QueryRow(t.Context(), `
		with d as (insert into devices (name, project_id) values ($2, $1) returning id)
		insert into series (metric, device_id, project_id) select 'm', id, $1 from d returning id`, project, device)
	if err := row.Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestOrphanSeriesAreThoseWithReadingsAndWithoutARow(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	a, b := newProject(t, pool), newProject(t, pool)
	lives := newSeries(t, pool, b, "x")
	putLatest(t, pool,
		store.Newest{Project: a, Series: 1, Offset: 1},
		store.Newest{Project: a, Series: 2, Offset: 1, None: true}, // the journal knows
		store.Newest{Project: a, Series: 3, Offset: 1},
		store.Newest{Project: b, Series: 1, Offset: 1},
		store.Newest{Project: b, Series: lives, Offset: 1},
		store.Newest{Project: 404, Series: 1, Offset: 1}, // its project is an orphan
	)
	var got []store.SeriesKey
	for after := (store.SeriesKey{}); ; {
		page, err := store.OrphanSeries(t.Context(), pool, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got, after = append(got, page...), page[len(page)-1]
	}
	if want := []store.SeriesKey{{Project: a, Series: 1}, {Project: a, Series: 3}, {Project: b, Series: 1}}; !slices.Equal(got, want) {
		t.Errorf("the orphans are %v, want %v", got, want)
	}
}

func TestForgetDeletedSeriesWaitsForThePacker(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	p := newProject(t, pool)
	empty := newSeries(t, pool, p, "x")
	putLatest(t, pool,
		store.Newest{Project: p, Series: 1, Offset: 5, None: true},
		store.Newest{Project: p, Series: 2, Offset: 6, None: true},
		store.Newest{Project: p, Series: 3, Offset: 5},
		store.Newest{Project: p, Series: empty, Offset: 5, None: true})
	packedTo(t, pool, p, 5)

	n, err := store.ForgetDeletedSeries(t.Context(), pool)

	var left []int64
	query(t, pool, &left, `select series_id from latest order by 1`)
	if want := []int64{2, 3, empty}; n != 1 || err != nil || !slices.Equal(left, want) {
		t.Errorf("it forgot %d, %v, and left %v; want 1 and %v", n, err, left, want)
	}
}
