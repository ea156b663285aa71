package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func TestNoticesReachAllWhoListen(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	listen := func(id string) *store.Listener {
		l, err := store.Listen(ctx, pool, id)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close(t.Context()) })
		return l
	}
	listeners := []*store.Listener{listen("a"), listen("b")}
	want := []string{"one", "two"}
	if err := store.Notify(ctx, pool, want...); err != nil {
		t.Fatal(err)
	}
	for i, l := range listeners {
		for _, text := range want {
			if got, err := l.Next(ctx); got != text || err != nil {
				t.Errorf("listener %d heard %q, %v; want %q", i, got, err, text)
			}
		}
	}
	ids, err := store.Listeners(ctx, pool)
	if slices.Sort(ids); err != nil || !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("%q listen, %v; want a and b", ids, err)
	}
}

// A notice does not wait for the disk; what is committed on the same connection after it must.
func TestNotifyLeavesTheConnectionDurable(t *testing.T) {
	t.Parallel()
	pool := testdb.Open(t, testdb.URL(t)+"&pool_max_conns=1")
	if err := store.Notify(t.Context(), pool, "news"); err != nil {
		t.Fatal(err)
	}
	var now string
	if err := pool.QueryRow(t.Context(), `show synchronous_commit`).Scan(&now); err != nil || now != "on" {
		t.Errorf("synchronous_commit is %q, %v", now, err)
	}
}

func TestHeadsAreThoseOfProjectsWithAJournal(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	ids := []int64{newProject(t, pool), newProject(t, pool), newProject(t, pool)}
	for _, sql := range []string{
		`insert into journal_head (project_id, head) values ($1, 7), ($2, 9)`,
		`insert into packing (project_id, packed_to) values ($1, 0), ($2, 4)`,
	} {
		if _, err := pool.Exec(t.Context(), sql, ids[0], ids[1]); err != nil {
			t.Fatal(err)
		}
	}
	heads, err := store.Heads(t.Context(), pool, append(ids, 404))
	slices.SortFunc(heads, func(a, b store.JournalHead) int { return int(a.Project - b.Project) })
	want := []store.JournalHead{{Project: ids[0], Head: 7}, {Project: ids[1], Head: 9, PackedTo: 4}}
	if err != nil || !slices.Equal(heads, want) {
		t.Errorf("heads %+v, %v; want %+v", heads, err, want)
	}
}
