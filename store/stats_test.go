package store_test

import (
	"testing"
	"time"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func TestStatsDivideTheTablesBetweenTheProjects(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	month := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if err := store.MakePackPartitions(t.Context(), pool, month, month); err != nil {
		t.Fatal(err)
	}
	exec(`insert into projects (id, name) values (1, 'one'), (2, 'two'), (3, 'none')`)
	exec(`insert into journal_head (project_id, head) values (1, 4), (2, 1)`)
	exec(`insert into packing (project_id, packed_to) values (1, 2)`)
	exec(`insert into journal (project_id, "offset", at, flush_id, kind, count, payload)
		select 1, o, date_trunc('day', now()) + o * interval '1 second', gen_random_uuid(), case when o = 4 then 2 else 1 end, 10, 'x' from generate_series(1, 4) o`)
	exec(`insert into chunk (project_id, series_id, first_time, last_time, count, payload)
		select p, s, $1, $1, 100, decode(repeat('00', 400 - 200 * (p % 2)), 'hex') from generate_series(1, 2) p, generate_series(1, 300) s`, month.UnixMicro())
	all, err := store.Stats(t.Context(), pool, 0)
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	one, two, none := all[0], all[1], all[2]
	if one.Name != "one" || one.Head != 4 || one.PackedTo != 2 || one.UnpackedEntries != 2 || one.UnpackedReadings != 10 || one.Oldest.Second() != 3 {
		t.Errorf("%+v", one)
	}
	if got := one.Tables["journal"]; got.Rows != 4 || got.Readings != 30 || got.Bytes < 8192 {
		t.Errorf("journal: %+v", got)
	}
	a, b := one.Tables["chunk"], two.Tables["chunk"]
	if a.Rows != 300 || a.Readings != 30_000 || a.Bytes < 60_000 || float64(b.Bytes)/float64(a.Bytes) < 1.3 || b.Bytes > 2*a.Bytes {
		t.Errorf("chunk: %+v and %+v", a, b)
	}
	if len(none.Tables) != 0 || !none.Oldest.IsZero() {
		t.Errorf("%+v", none)
	}
	if all, err = store.Stats(t.Context(), pool, 12_884_901_888); err != nil || len(all) != 0 {
		t.Errorf("of a project that there is not: %v, %v", all, err)
	}
	if all, err = store.Stats(t.Context(), pool, 2); err != nil || len(all) != 1 || all[0].Project != 2 || all[0].Tables["chunk"] != b {
		t.Errorf("of one project: %+v, %v", all, err)
	}
	partitions, err := store.Partitions(t.Context(), pool)
	if err != nil || len(partitions) != 4 || partitions[1].Table != "chunk" || partitions[1].Count != 1 || partitions[1].Oldest != "chunk_202603" || partitions[1].Bytes < a.Bytes+b.Bytes {
		t.Errorf("%+v, %v", partitions, err)
	}
}
