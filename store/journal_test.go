package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func TestAppendEntriesCountsOffsetsPerProject(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	a, b := newProject(t, pool), newProject(t, pool)

	first := appendTo(t, pool, b, a)
	second := appendTo(t, pool, a)

	if want := (map[int64]int64{a: 1, b: 1}); !equalOffsets(first, want) {
		t.Errorf("first flush: %v, want offsets %v", first, want)
	}
	if want := (map[int64]int64{a: 2}); !equalOffsets(second, want) {
		t.Errorf("second flush: %v, want offsets %v", second, want)
	}
	head, packedTo, err := store.Head(t.Context(), pool, a)
	if head != 2 || packedTo != 0 || err != nil {
		t.Errorf("head is %d, %d, %v; want 2, 0", head, packedTo, err)
	}
}

func TestAppendEntriesLeavesOutProjectsThatDoNotExist(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	old, fresh := newProject(t, pool), newProject(t, pool)
	appendTo(t, pool, old)

	placed := appendTo(t, pool, old, 404, fresh)

	if want := (map[int64]int64{old: 2, fresh: 1}); !equalOffsets(placed, want) {
		t.Errorf("placed %v, want offsets %v", placed, want)
	}
	if head, _, err := store.Head(t.Context(), pool, 404); head != 0 || err != nil {
		t.Errorf("head of no project is %d, %v; want 0", head, err)
	}
}

func TestAppendEntriesOfADeletedProjectLeavesNothing(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	p := newProject(t, pool)
	appendTo(t, pool, p)
	exec(t, pool, `delete from projects where id = $1`, p)

	if placed := appendTo(t, pool, p); len(placed) != 0 {
		t.Errorf("placed %v in a deleted project", placed)
	}
	if entries := readAll(t, pool, p); len(entries) != 0 {
		t.Errorf("a deleted project has %d entries", len(entries))
	}
}

// The project is being deleted while its first entry is on its way: the append waits for the outcome.
func TestAppendEntriesWaitsForADeletionThatIsUnderWay(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	p := newProject(t, pool)
	deletion, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deletion.Exec(t.Context(), `delete from projects where id = $1`, p); err != nil {
		t.Fatal(err)
	}
	var appended sync.WaitGroup
	appended.Go(func() {
		placed, err := store.AppendEntries(t.Context(), pool, uuid.New(), pendings([]int64{p}))
		if len(placed) != 0 || err != nil {
			t.Errorf("placed %v, %v in a project that was deleted", placed, err)
		}
	})
	waitUntilLocked(t, pool)
	if err := deletion.Commit(t.Context()); err != nil {
		t.Error(err)
	}
	appended.Wait()
}

// Writers with pools of their own, as many processes have, append to the same projects in any order, while others read
// as followers do.
func TestAppendEntriesKeepsOffsetsDenseAndInTheOrderOfCommits(t *testing.T) {
	t.Parallel()
	const writers, goroutines, flushes, projects = 8, 2, 25, 12
	server := testdb.URL(t)
	pool := testdb.Open(t, server)
	ids := make([]int64, projects)
	for i := range ids {
		ids[i] = newProject(t, pool)
	}

	following, stop := context.WithCancel(t.Context())
	var followers, appenders sync.WaitGroup
	for _, project := range ids[:3] {
		followers.Go(func() { followDensely(t, following, pool, project) })
	}
	acked := make([][]store.Placed, writers*goroutines)
	for w := range writers {
		own := testdb.Open(t, server)
		for g := range goroutines {
			appenders.Go(func() {
				for range flushes {
					some := slices.Clone(ids)
					rand.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
					placed, err := store.AppendEntries(t.Context(), own, uuid.New(), pendings(some[:1+rand.IntN(projects)]))
					if err != nil {
						t.Errorf("append: %v", err)
						return
					}
					acked[w*goroutines+g] = append(acked[w*goroutines+g], placed...)
				}
			})
		}
	}
	appenders.Wait()
	stop()
	followers.Wait()

	seen := make(map[int64]map[int64]bool)
	for _, p := range slices.Concat(acked...) {
		if seen[p.Project] == nil {
			seen[p.Project] = make(map[int64]bool)
		}
		if seen[p.Project][p.Offset] {
			t.Errorf("offset %d of project %d was given twice", p.Offset, p.Project)
		}
		seen[p.Project][p.Offset] = true
	}
	for _, id := range ids {
		entries := readAll(t, pool, id)
		checkDense(t, id, 0, entries)
		if len(entries) != len(seen[id]) {
			t.Errorf("project %d has %d entries, %d were acknowledged", id, len(entries), len(seen[id]))
		}
	}
}

func TestReadEntriesStopsAtEachLimit(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	p := newProject(t, pool)
	for range 5 {
		appendTo(t, pool, p) // 3 bytes each
	}
	read := func(after int64, maxEntries, maxBytes int, want ...int64) {
		t.Helper()
		entries, err := store.ReadEntries(t.Context(), pool, p, after, maxEntries, maxBytes)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, e := range entries {
			got = append(got, e.Offset)
			if e.Kind != 1 || e.Count != 7 || string(e.Payload) != "abc" || e.At.IsZero() {
				t.Errorf("entry %d came back as %+v", e.Offset, e)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %d, %d entries, %d bytes: %v, want %v", after, maxEntries, maxBytes, got, want)
		}
	}
	read(0, 100, 1000, 1, 2, 3, 4, 5)
	read(0, 2, 1000, 1, 2)
	read(2, 100, 1000, 3, 4, 5)
	read(0, 100, 4, 1, 2)
	read(0, 100, 3, 1)
	read(3, 100, 1, 4)
	read(5, 100, 1000)
}

func TestCommittedAtIsTheClockOfTheAppend(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	p, other := newProject(t, pool), newProject(t, pool)
	placed := append(appendTo(t, pool, p), appendTo(t, pool, p)...)
	appendTo(t, pool, other)
	f := func(project, offset int64, want time.Time) {
		t.Helper()
		if at, err := store.CommittedAt(t.Context(), pool, project, offset); err != nil || at != want {
			t.Errorf("entry %d of project %d was written at %v, %v; want %v", offset, project, at, err, want)
		}
	}
	f(p, 1, placed[0].At)
	f(p, 2, placed[1].At)
	f(p, 3, time.Time{})
	f(404, 1, time.Time{})
	if state, err := store.BeginJournal(t.Context(), pool, p); err != nil || !state.PackedAt.IsZero() {
		t.Errorf("nothing is packed: got %+v, %v", state, err)
	}
	exec(t, pool, `insert into packing values ($1, 2)`, p)
	if state, err := store.BeginJournal(t.Context(), pool, p); err != nil || state.PackedAt != placed[1].At {
		t.Errorf("got %+v, %v; want %v", state, err, placed[1].At)
	}
	exec(t, pool, `delete from journal where project_id = $1`, p)
	if state, err := store.BeginJournal(t.Context(), pool, p); err != nil || !state.PackedAt.IsZero() || state.PackedTo != 2 {
		t.Errorf("what is packed was dropped: got %+v, %v", state, err)
	}
	f(p, 2, time.Time{})
}

func TestFindFlushSettlesOnlyWhenTheBackendIsGone(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	p, other := newProject(t, pool), newProject(t, pool)
	flush := uuid.New()
	appendTo(t, pool, p)

	// A session stands for the backend of a lost append: it has the entry, and has not committed it.
	slow, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Release()
	backend := slow.Conn().PgConn().PID()
	tx, err := slow.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.Exec(t.Context(), `with h as (update journal_head set head = head + 1 where project_id = $1 returning *)
		insert into journal select project_id, head, now(), $2, 1, 7, 'abc' from h`, p, [16]byte(flush))
	if err != nil {
		t.Fatal(err)
	}
	find := func(wantOffset int64, wantSettled bool) {
		t.Helper()
		placed, settled, err := store.FindFlush(t.Context(), pool, flush, backend, []int64{other, p}, []int64{0, 1})
		if err != nil {
			t.Fatal(err)
		}
		want := map[int64]int64{}
		if wantOffset > 0 {
			want[p] = wantOffset
		}
		if !equalOffsets(placed, want) || settled != wantSettled {
			t.Errorf("found %v, settled %v; want %v, %v", placed, settled, want, wantSettled)
		}
	}
	find(0, false)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	find(2, false)
	if err := slow.Conn().Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitUntilGone(t, pool, backend)
	find(2, true)

	flush = uuid.New()
	find(0, true)
}

// The backend is ended at random moments; whatever AppendEntries and FindFlush say must then be so.
func TestLostAppendIsReportedAsSuch(t *testing.T) {
	t.Parallel()
	const rounds = 60
	server := testdb.URL(t)
	pool, victims := testdb.Open(t, server), testdb.Open(t, withApplication(t, server, "victim"))
	p := newProject(t, pool)
	acked, lost := 0, 0
	for range rounds {
		flush := uuid.New()
		before, _, err := store.Head(t.Context(), pool, p)
		if err != nil {
			t.Fatal(err)
		}
		var killer sync.WaitGroup
		killer.Go(func() {
			time.Sleep(rand.N(1500 * time.Microsecond)) // any moment of the append
			terminate(t, pool, "victim")
		})
		placed, err := store.AppendEntries(t.Context(), victims, flush, pendings([]int64{p}))
		killer.Wait()
		want := len(placed)
		var gone *store.LostAppend
		if errors.As(err, &gone) {
			lost++
			want = settle(t, pool, flush, gone.Backend, p, before)
		}
		acked += len(placed)
		if have := count(t, pool, flush); have != want {
			t.Errorf("the journal holds %d entries of a flush, expected %d after: %v", have, want, err)
		}
	}
	t.Logf("of %d: %d acknowledged, %d lost", rounds, acked, lost)
	checkDense(t, p, 0, readAll(t, pool, p))
}

func count(t *testing.T, pool *pgxpool.Pool, flush uuid.UUID) (n int) {
	t.Helper()
	row := pool.QueryRow(t.Context(), `select count(*) from journal where flush_id = $1`, [16]byte(flush))
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// settle returns how many entries FindFlush finds in the end.
func settle(t *testing.T, pool *pgxpool.Pool, flush uuid.UUID, backend uint32, project, after int64) int {
	t.Helper()
	for {
		placed, settled, err := store.FindFlush(t.Context(), pool, flush, backend, []int64{project}, []int64{after})
		if err != nil {
			t.Fatal(err)
		}
		if settled {
			return len(placed)
		}
	}
}

// terminate ends the sessions of an application in this test's database.
func terminate(t *testing.T, pool *pgxpool.Pool, application string) {
	_, err := pool.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and application_name = $1`, application)
	if err != nil {
		t.Errorf("terminate: %v", err)
	}
}

func withApplication(t *testing.T, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("application_name", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// waitUntilLocked returns when a session of this test's database waits for a lock.
func waitUntilLocked(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for waits := false; !waits; {
		row := pool.QueryRow(t.Context(), `select exists (select from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock')`)
		if err := row.Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
}

func waitUntilGone(t *testing.T, pool *pgxpool.Pool, backend uint32) {
	t.Helper()
	for here := true; here; {
		row := pool.QueryRow(t.Context(), `select exists (select from pg_stat_activity where pid = $1)`, int32(backend))
		if err := row.Scan(&here); err != nil {
			t.Fatal(err)
		}
	}
}

// followDensely reads a project's journal as a follower does until ctx ends: no hole may ever be seen.
func followDensely(t *testing.T, ctx context.Context, pool *pgxpool.Pool, project int64) {
	at := int64(0)
	for ctx.Err() == nil {
		entries, err := store.ReadEntries(context.WithoutCancel(ctx), pool, project, at, 100, 1<<20)
		if err != nil {
			t.Errorf("follow: %v", err)
			return
		}
		checkDense(t, project, at, entries)
		at += int64(len(entries))
	}
}

// checkDense expects the entries right behind the offset after, without a hole and with a clock that never goes back.
func checkDense(t *testing.T, project, after int64, entries []store.Entry) {
	t.Helper()
	for i, e := range entries {
		if want := after + int64(i) + 1; e.Offset != want {
			t.Errorf("project %d has offset %d where %d belongs", project, e.Offset, want)
			return
		}
		if i > 0 && e.At.Before(entries[i-1].At) {
			t.Errorf("project %d: entry %d is older than the one before", project, e.Offset)
		}
	}
}

func pendings(projects []int64) []store.Pending {
	items := make([]store.Pending, len(projects))
	for i, p := range projects {
		items[i] = store.Pending{Project: p, Kind: 1, Count: 7, Payload: []byte("abc")}
	}
	return items
}

func appendTo(t *testing.T, pool *pgxpool.Pool, projects ...int64) []store.Placed {
	t.Helper()
	placed, err := store.AppendEntries(t.Context(), pool, uuid.New(), pendings(projects))
	if err != nil {
		t.Fatal(err)
	}
	return placed
}

func readAll(t *testing.T, pool *pgxpool.Pool, project int64) []store.Entry {
	t.Helper()
	entries, err := store.ReadEntries(t.Context(), pool, project, 0, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func equalOffsets(placed []store.Placed, want map[int64]int64) bool {
	for _, p := range placed {
		if want[p.Project] != p.Offset {
			return false
		}
	}
	return len(placed) == len(want)
}

func newProject(t testing.TB, pool *pgxpool.Pool) int64 {
	t.Helper()
	var id int64
	row := pool.QueryRow(t.Context(), `insert into projects (name) values ('test') returning id`)
	if err := row.Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func exec(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}
