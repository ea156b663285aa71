package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// withoutPartitions returns a database whose journal has none.
func withoutPartitions(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool := testdb.New(t)
	_, err := pool.Exec(t.Context(), `
		do $$ declare p regclass; begin
			for p in select inhrelid::regclass from pg_inherits where inhparent = 'journal'::regclass loop
				execute format('drop table %s', p);
			end loop;
		end $$`)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

// partitions returns "name bounds" of each of the journal's partitions.
func partitions(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	return partitionsOf(t, pool, "journal")
}

// partitionsOf returns "name bounds" of each of a table's partitions.
func partitionsOf(t *testing.T, pool *pgxpool.Pool, parent string) (all []string) {
	t.Helper()
	query(t, pool, &all, `
		select c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid)
		from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = $1::text::regclass order by 1`, parent)
	return all
}

func TestPartitionsReachFromYesterdayToTheDaysAhead(t *testing.T) {
	t.Parallel()
	pool := withoutPartitions(t)
	today := time.Now().UTC()
	if err := store.MakePartitions(t.Context(), pool, 3); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := -1; i <= 3; i++ {
		day := today.AddDate(0, 0, i)
		want = append(want, fmt.Sprintf("journal_%s FOR VALUES FROM ('%s 00:00:00+00') TO ('%s 00:00:00+00')",
			day.Format("20060102"), day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly)))
	}
	if got := partitions(t, pool); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the partitions are\n%q, want\n%q", got, want)
	}
	if missing, err := store.MissingDays(t.Context(), pool, 3); err != nil || len(missing) != 0 {
		t.Errorf("after that %v is missing (%v)", missing, err)
	}
	if missing, err := store.MissingDays(t.Context(), pool, 4); err != nil || len(missing) != 1 {
		t.Errorf("of one day more %v is missing (%v)", missing, err)
	}
}

func TestPartitionsAreMadeOnceByMany(t *testing.T) {
	t.Parallel()
	pool := withoutPartitions(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := store.MakePartitions(t.Context(), pool, 5); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := len(partitions(t, pool)); got != 7 {
		t.Errorf("there are %d partitions, want 7", got)
	}
}

func TestPartitionsAreLikeTheJournal(t *testing.T) {
	t.Parallel()
	pool := withoutPartitions(t)
	if err := store.MakePartitions(t.Context(), pool, 0); err != nil {
		t.Fatal(err)
	}
	var storage, options string
	var checks, keys, foreign int
	err := pool.QueryRow(t.Context(), `
		select a.attstorage::text, c.reloptions::text,
			(select count(*) from pg_constraint where conrelid = c.oid and contype = 'c'),
			(select count(*) from pg_constraint where conrelid = c.oid and contype = 'p' and conparentid <> 0),
			(select count(*) from pg_constraint where conrelid = c.oid and contype = 'f' and conparentid <> 0)
		from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_attribute a on a.attrelid = c.oid
		where i.inhparent = 'journal'::regclass and a.attname = 'payload' limit 1`).
		Scan(&storage, &options, &checks, &keys, &foreign)
	if err != nil {
		t.Fatal(err)
	}
	if storage != "e" || options != "{toast_tuple_target=8160}" {
		t.Errorf("payloads are stored as %q with %s, want external and 8160", storage, options)
	}
	if checks != 0 || keys != 1 || foreign != 1 {
		t.Errorf("a partition has %d checks, %d primary keys, %d foreign keys of the journal; want 0, 1, 1", checks, keys, foreign)
	}
}

func TestPartitionsWaitForALongTransactionWithoutStoppingAppends(t *testing.T) {
	t.Parallel()
	pool := withoutPartitions(t)
	long, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer long.Rollback(t.Context())
	if _, err := long.Exec(t.Context(), `lock table journal_head in row exclusive mode`); err != nil {
		t.Fatal(err)
	}
	made := make(chan error, 1)
	go func() { made <- store.MakePartitions(t.Context(), pool, 0) }()
	// An append queues behind the partition's lock for its lock_timeout at most.
	for range 20 {
		if _, err := pool.Exec(t.Context(), `set statement_timeout = '4s'; update journal_head set head = head where false; reset statement_timeout`); err != nil {
			t.Fatalf("an append meanwhile: %v", err)
		}
		select {
		case err := <-made:
			t.Fatalf("the partitions are made under a foreign lock: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := long.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-made; err != nil {
		t.Error(err)
	}
}
