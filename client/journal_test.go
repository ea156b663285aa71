package client_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/store"
)

// truth is the journal of a house's project, as the database has it.
type truth struct {
	t       *testing.T
	pool    *pgxpool.Pool
	project int64
}

func openJournal(t *testing.T, h *house) *truth {
	t.Helper()
	pool, err := store.Open(t.Context(), h.database, store.PoolConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	j := &truth{t: t, pool: pool}
	if err := pool.QueryRow(t.Context(), `select id from projects`).Scan(&j.project); err != nil {
		t.Fatal(err)
	}
	return j
}

// dawdle has the database take up to 20 ms more for every third entry, between its insertion and its commit.
func (j *truth) dawdle() {
	j.t.Helper()
	_, err := j.pool.Exec(j.t.Context(), `
		create sequence late_commits;
		create function dawdle() returns trigger language plpgsql as $$
		begin
			if random() < 0.33 then
				perform nextval('late_commits'), pg_sleep(random() * 0.02);
			end if;
			return null;
		end $$;
		create trigger dawdle after insert on journal for each row execute function dawdle()`)
	if err != nil {
		j.t.Fatal(err)
	}
}

// late returns how many entries took more.
func (j *truth) late() (n int) {
	j.t.Helper()
	if err := j.pool.QueryRow(j.t.Context(), `select last_value from late_commits`).Scan(&n); err != nil {
		j.t.Fatal(err)
	}
	return n
}

// stored is a reading of an entry.
type stored struct {
	value  int32
	offset int64
}

// readings returns what is stored, in the order of the journal, up to the reading that ends the test.
func (j *truth) readings() (all []stored) {
	j.t.Helper()
	reader := journal.NewReader(j.pool)
	for after := int64(0); ; {
		entries, err := reader.Read(j.t.Context(), j.project, after, 256)
		if err != nil {
			j.t.Fatal(err)
		}
		if len(entries) == 0 {
			j.t.Fatal("the journal does not hold the reading that ends the test")
		}
		for _, e := range entries {
			after = e.Offset
			for _, r := range e.Readings {
				all = append(all, stored{value: int32(r.Value), offset: e.Offset})
				if r.Value == end {
					return all
				}
			}
		}
	}
}
