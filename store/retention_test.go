package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// keeping returns a new project that keeps readings and rollups so many days.
func keeping(t *testing.T, pool *pgxpool.Pool, readings, rollups int) int64 {
	t.Helper()
	p := newProject(t, pool)
	exec(t, pool, `update projects set keep_readings_days = $2, keep_rollups_days = $3 where id = $1`, p, readings, rollups)
	return p
}

func dropExpired(t *testing.T, pool *pgxpool.Pool, now time.Time) []string {
	t.Helper()
	dropped, err := store.DropExpired(t.Context(), pool, now)
	if err != nil {
		t.Fatal(err)
	}
	return dropped
}

func TestKeptSinceIsTheBeginningOfAMonth(t *testing.T) {
	t.Parallel()
	f := func(now time.Time, days int, want time.Time) {
		t.Helper()
		if got := store.KeptSince(now, days); !got.Equal(want) {
			t.Errorf("of %d days at %v stands what is since %v, want %v", days, now, got, want)
		}
	}
	f(utc(2026, 3, 31, 0), 30, utc(2026, 3, 1, 0))
	f(utc(2026, 3, 31, 0), 31, utc(2026, 2, 1, 0))
	f(utc(2026, 3, 1, 0).Add(-time.Microsecond), 1, utc(2026, 2, 1, 0))
	f(utc(2026, 3, 31, 0), 365, utc(2025, 3, 1, 0))
	f(utc(2026, 3, 31, 0), 0, time.Time{})
}

func TestDropExpiredDropsWhatNoProjectKeeps(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2025, 11, 1, 0), utc(2026, 3, 1, 0))
	putPacked(t, pool, keeping(t, pool, 7, 7), 1, utc(2025, 12, 31, 0))
	putPacked(t, pool, keeping(t, pool, 30, 40), 1, utc(2025, 11, 30, 0), utc(2025, 12, 31, 0), utc(2026, 1, 31, 0))
	keeping(t, pool, 0, 0) // has nothing

	if dropped := dropExpired(t, pool, utc(2026, 1, 30, 23)); !slices.Equal(dropped, []string{"chunk_202511", "rollup_hour_202511"}) {
		t.Errorf("at the end of January it dropped %q", dropped)
	}
	if dropped := dropExpired(t, pool, utc(2026, 1, 31, 0)); !slices.Equal(dropped, []string{"chunk_202512"}) {
		t.Errorf("30 days after December it dropped %q", dropped)
	}
	if dropped := dropExpired(t, pool, utc(2026, 2, 10, 0)); !slices.Equal(dropped, []string{"rollup_hour_202512", "rollup_day_2025"}) {
		t.Errorf("40 days after December it dropped %q", dropped)
	}
	if dropped := dropExpired(t, pool, utc(2026, 2, 10, 0)); len(dropped) != 0 {
		t.Errorf("and once more %q", dropped)
	}
	if got := partitionsOf(t, pool, "chunk"); len(got) != 3 {
		t.Errorf("what stands of chunk is %q, want January to March", got)
	}
}

func TestDropExpiredLeavesAllWhileOneProjectKeepsForEver(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2020, 1, 1, 0), utc(2020, 2, 1, 0))
	for _, p := range []int64{keeping(t, pool, 7, 7), keeping(t, pool, 0, 7)} { // readings for ever, so their rollups too
		putPacked(t, pool, p, 1, utc(2020, 1, 5, 0), utc(2020, 2, 5, 0))
	}
	if dropped := dropExpired(t, pool, utc(2026, 1, 1, 0)); len(dropped) != 0 {
		t.Errorf("it dropped %q", dropped)
	}
}

func TestDropExpiredKeepsRollupsAsLongAsReadings(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2025, 12, 1, 0), utc(2025, 12, 1, 0))
	putPacked(t, pool, keeping(t, pool, 100, 7), 1, utc(2025, 12, 1, 0))
	if dropped := dropExpired(t, pool, utc(2026, 3, 1, 0)); len(dropped) != 0 {
		t.Errorf("it dropped %q of readings that are kept", dropped)
	}
}

func TestDropExpiredDropsEmptyPartitionsAfterAWeek(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2026, 1, 1, 0), utc(2026, 2, 1, 0))
	keeping(t, pool, 0, 0)
	if dropped := dropExpired(t, pool, utc(2026, 2, 7, 23)); len(dropped) != 0 {
		t.Errorf("six days after January it dropped %q", dropped)
	}
	if dropped := dropExpired(t, pool, utc(2026, 2, 8, 0)); !slices.Equal(dropped, []string{"chunk_202601", "rollup_hour_202601"}) {
		t.Errorf("a week after January it dropped %q", dropped)
	}
}

// Whoever fills a partition has begun before anybody can see it: what nobody has rows in may have some in a moment.
func TestDropExpiredLeavesAPartitionThatIsBeingFilled(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	month := utc(2026, 1, 1, 0)
	makePacked(t, pool, month, month)
	p := keeping(t, pool, 0, 0)
	filling, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer filling.Rollback(t.Context())
	const row = `insert into chunk (project_id, series_id, first_time, last_time, count, payload) values ($1, 1, $2, $2, 1, '')`
	if _, err := filling.Exec(t.Context(), row, p, month.UnixMicro()); err != nil {
		t.Fatal(err)
	}

	dropped, err := store.DropExpired(t.Context(), pool, utc(2026, 3, 1, 0))

	if len(dropped) != 0 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("it dropped %q, %v; want %v", dropped, err, fault.Unavailable)
	}
	if err := filling.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := countRows(t, pool, `select from chunk`); n != 1 {
		t.Errorf("once it is filled it shows %d rows, want 1", n)
	}
	if dropped := dropExpired(t, pool, utc(2026, 3, 1, 0)); slices.Contains(dropped, "chunk_202601") {
		t.Errorf("once it is filled it dropped %q", dropped)
	}
}

// The next round drops what somebody uses; until then all of it is there, for whoever comes later too.
func TestDropExpiredWaitsForALongTransactionOnlyShortly(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	month := utc(2025, 12, 1, 0)
	makePacked(t, pool, month, utc(2026, 1, 1, 0))
	p := keeping(t, pool, 7, 7)
	putPacked(t, pool, p, 1, month)
	long, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer long.Rollback(t.Context())
	seen := func() (n int) {
		if err := long.QueryRow(t.Context(), `select count(*) from chunk`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := seen(); n != 1 {
		t.Fatalf("there are %d rows, want 1", n)
	}

	dropped, err := store.DropExpired(t.Context(), pool, utc(2026, 2, 1, 0))

	if len(dropped) != 0 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("beside a long transaction it dropped %q, %v; want %v", dropped, err, fault.Unavailable)
	}
	if n := countRows(t, pool, `select from chunk`); n != 1 {
		t.Errorf("meanwhile others see %d rows, want 1", n)
	}
	makePacked(t, pool, utc(2026, 2, 1, 0), utc(2026, 2, 1, 0)) // others are made meanwhile
	if err := long.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if dropped := dropExpired(t, pool, utc(2026, 2, 1, 0)); !slices.Equal(dropped, []string{"chunk_202512", "rollup_hour_202512", "rollup_day_2025"}) {
		t.Errorf("after it it dropped %q", dropped)
	}
}

func TestDropExpiredLooksAgainWhenNobodyCanWriteAnyMore(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2026, 1, 1, 0), utc(2026, 2, 1, 0))
	putPacked(t, pool, 1, 1, utc(2026, 1, 1, 0))
	asked := 0
	dropped, err := store.DropIf(t.Context(), pool, "chunk", func(string) bool {
		asked++
		return asked == 1
	})
	if len(dropped) != 0 || err != nil {
		t.Errorf("it dropped %q, %v", dropped, err)
	}
	if n := countRows(t, pool, `select from chunk`); n != 1 {
		t.Errorf("there are %d rows, want the one from before", n)
	}
}

func TestDropExpiredLeavesWhatSomebodyDetached(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2020, 1, 1, 0), utc(2020, 1, 1, 0))
	exec(t, pool, `alter table chunk detach partition chunk_202001`)
	exec(t, pool, `create table chunk_of_mine (like chunk)`)
	if dropped := dropExpired(t, pool, utc(2026, 1, 1, 0)); slices.Contains(dropped, "chunk_202001") {
		t.Errorf("it dropped %q", dropped)
	}
	if n := countRows(t, pool, `select from pg_class where relname in ('chunk_202001', 'chunk_of_mine')`); n != 2 {
		t.Errorf("%d of the two tables are there", n)
	}
}

func TestKeepAloneIsForOneAtATime(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	alone := func(fn func() error) bool {
		done, err := store.KeepAlone(t.Context(), pool, fn)
		if err != nil {
			t.Error(err)
		}
		return done
	}
	nothing := func() error { return nil }
	inner := true
	if outer := alone(func() error { inner = alone(nothing); return nil }); !outer || inner {
		t.Errorf("the first got its turn: %v, the second meanwhile: %v", outer, inner)
	}
	if !alone(nothing) {
		t.Error("the turn was not given back")
	}
	want := errors.New("something")
	if done, err := store.KeepAlone(t.Context(), pool, func() error { return want }); !done || !errors.Is(err, want) {
		t.Errorf("done: %v, %v; want %v", done, err, want)
	}
}

// beside runs fn while a transaction is open that has looked at every partition of a table.
func beside(t *testing.T, pool *pgxpool.Pool, table string, fn func()) {
	t.Helper()
	long, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer long.Rollback(t.Context())
	if _, err := long.Exec(t.Context(), `select from `+table); err != nil {
		t.Fatal(err)
	}
	fn()
}

func TestDropExpiredLeavesWhatSomebodyHalfDetached(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	makePacked(t, pool, utc(2020, 1, 1, 0), utc(2020, 1, 1, 0))
	beside(t, pool, "chunk", func() {
		err := store.Maintain(t.Context(), pool, func(conn *pgx.Conn) error {
			_, err := conn.Exec(t.Context(), `set lock_timeout = 1`)
			if err == nil {
				_, err = conn.Exec(t.Context(), `alter table chunk detach partition chunk_202001 concurrently`)
			}
			_, reset := conn.Exec(t.Context(), `reset lock_timeout`)
			return errors.Join(store.Fault(err), reset)
		})
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("detaching beside a transaction: %v, want %v", err, fault.Unavailable)
		}
	})
	if dropped := dropExpired(t, pool, utc(2026, 1, 1, 0)); slices.Contains(dropped, "chunk_202001") {
		t.Errorf("it dropped %q", dropped)
	}
	if n := countRows(t, pool, `select from pg_class where relname = 'chunk_202001'`); n != 1 {
		t.Error("the table is gone")
	}
}

// oldDays makes the journal's partitions of n days that ended on the given one, with an entry of project in each; it
// returns their names. The offsets are 1 … n.
func oldDays(t *testing.T, pool *pgxpool.Pool, project int64, last time.Time, n int) (names []string) {
	t.Helper()
	exec(t, pool, `insert into journal_head (project_id, head) values ($1, $2) on conflict do nothing`, project, n)
	for i := range n {
		day := last.AddDate(0, 0, i+1-n)
		if err := store.MakeJournalDay(t.Context(), pool, day); err != nil {
			t.Fatal(err)
		}
		exec(t, pool, `insert into journal values ($1, $2, $3, $4, 1, 1, 'abc')`, project, i+1, day, [16]byte(uuid.New()))
		names = append(names, "journal_"+day.Format("20060102"))
	}
	return names
}

func packedTo(t *testing.T, pool *pgxpool.Pool, project, offset int64) {
	t.Helper()
	exec(t, pool, `insert into packing values ($1, $2) on conflict (project_id) do update set packed_to = $2`, project, offset)
}

func dropJournal(t *testing.T, pool *pgxpool.Pool, now time.Time) []string {
	t.Helper()
	dropped, err := store.DropJournal(t.Context(), pool, now)
	if err != nil {
		t.Fatal(err)
	}
	return dropped
}

func TestDropJournalLeavesWhatIsNotPacked(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	p, idle := newProject(t, pool), newProject(t, pool)
	names := oldDays(t, pool, p, utc(2025, 6, 10, 0), 3)
	exec(t, pool, `insert into journal_head (project_id) values ($1)`, idle)

	if dropped := dropJournal(t, pool, utc(2025, 7, 1, 0)); len(dropped) != 0 {
		t.Errorf("it dropped %q, of which nothing is packed", dropped)
	}
	packedTo(t, pool, p, 2)
	if dropped := dropJournal(t, pool, utc(2025, 7, 1, 0)); !slices.Equal(dropped, names[:2]) {
		t.Errorf("it dropped %q, want %q", dropped, names[:2])
	}
	packedTo(t, pool, p, 3)
	if dropped := dropJournal(t, pool, utc(2025, 7, 1, 0)); !slices.Equal(dropped, names[2:]) {
		t.Errorf("it dropped %q, want %q", dropped, names[2:])
	}
}

func TestDropJournalKeepsTheLongestWindowToResumeIn(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	a, b := newProject(t, pool), newProject(t, pool)
	names := oldDays(t, pool, a, utc(2025, 6, 10, 0), 1)
	packedTo(t, pool, a, 1)
	exec(t, pool, `update projects set resume_hours = 30 where id = $1`, b)

	if dropped := dropJournal(t, pool, utc(2025, 6, 12, 5)); len(dropped) != 0 {
		t.Errorf("29 hours after the day it dropped %q", dropped)
	}
	if dropped := dropJournal(t, pool, utc(2025, 6, 12, 6)); !slices.Equal(dropped, names) {
		t.Errorf("30 hours after the day it dropped %q, want %q", dropped, names)
	}
}

// Dropping needs the heads' table for a moment, which every append writes to.
func TestDropJournalLetsAppendsGoOn(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	p := newProject(t, pool)
	names := oldDays(t, pool, p, utc(2025, 6, 10, 0), 10)
	packedTo(t, pool, p, 10)
	busy := newProject(t, pool)
	stop, slowest := make(chan struct{}), make(chan time.Duration)
	go func() {
		var most time.Duration
		defer func() { slowest <- most }()
		for {
			select {
			case <-stop:
				return
			default:
			}
			began := time.Now()
			if _, err := store.AppendEntries(t.Context(), pool, uuid.New(), pendings([]int64{busy})); err != nil {
				t.Error(err)
				return
			}
			most = max(most, time.Since(began))
		}
	}()

	began := time.Now()
	dropped := dropJournal(t, pool, utc(2025, 7, 1, 0))
	took := time.Since(began)

	close(stop)
	most := <-slowest
	if !slices.Equal(dropped, names) {
		t.Errorf("it dropped %q, want %q", dropped, names)
	}
	head, _, err := store.Head(t.Context(), pool, busy)
	t.Logf("%d appends in %v, the slowest %v", head, took, most)
	if err != nil || head == 0 || most > 2*time.Second {
		t.Errorf("%d appends went on (%v), the slowest for %v", head, err, most)
	}
}

// A dump of the database holds a lock on every table, for hours.
func TestDropJournalBesideADumpDoesNotStopAppends(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	p := newProject(t, pool)
	names := oldDays(t, pool, p, utc(2025, 6, 10, 0), 2)
	packedTo(t, pool, p, 2)
	dump, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer dump.Rollback(t.Context())
	if _, err := dump.Exec(t.Context(), `lock table journal, journal_head in access share mode`); err != nil {
		t.Fatal(err)
	}
	type result struct {
		dropped []string
		err     error
	}
	done := make(chan result)
	go func() {
		dropped, err := store.DropJournal(t.Context(), pool, utc(2025, 7, 1, 0))
		done <- result{dropped, err}
	}()
	var slowest time.Duration
	var r result
	for running := true; running; {
		began := time.Now()
		appendTo(t, pool, p)
		slowest = max(slowest, time.Since(began))
		select {
		case r = <-done:
			running = false
		default:
		}
	}
	if len(r.dropped) != 0 || !fault.Is(r.err, fault.Unavailable) {
		t.Errorf("beside a dump it dropped %q, %v; want %v", r.dropped, r.err, fault.Unavailable)
	}
	t.Logf("the slowest append took %v", slowest)
	if slowest > 2*time.Second {
		t.Errorf("an append took %v", slowest)
	}
	if err := dump.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if dropped := dropJournal(t, pool, utc(2025, 7, 1, 0)); !slices.Equal(dropped, names) {
		t.Errorf("after the dump it dropped %q, want %q", dropped, names)
	}
}

func TestDropJournalLeavesNoTrace(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	const trace = `select from pg_trigger where tgrelid = 'journal_head'::regclass`
	before := countRows(t, pool, trace)
	p := newProject(t, pool)
	oldDays(t, pool, p, utc(2025, 6, 10, 0), 2)
	packedTo(t, pool, p, 2)
	dropJournal(t, pool, utc(2025, 7, 1, 0))
	if after := countRows(t, pool, trace); after != before {
		t.Errorf("journal_head has %d triggers, had %d", after, before)
	}
	for _, p := range partitions(t, pool) {
		if strings.HasPrefix(p, "journal_2025") {
			t.Errorf("%s stands", p)
		}
	}
}

func TestMakePartitionsRestoresWhatIsHalfDetached(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	day := utc(2025, 6, 10, 0)
	names := oldDays(t, pool, newProject(t, pool), day, 1)
	beside(t, pool, "journal", func() {
		dropped, err := store.DropIf(t.Context(), pool, "journal", func(name string) bool { return name == names[0] })
		if len(dropped) != 0 || err == nil {
			t.Errorf("beside a transaction it dropped %q, %v", dropped, err)
		}
	})
	if n := countRows(t, pool, `select from journal`); n != 0 {
		t.Fatalf("a half detached partition shows %d rows", n)
	}
	if err := store.MakeJournalDay(t.Context(), pool, day); err != nil {
		t.Fatal(err)
	}
	if n := countRows(t, pool, `select from journal`); n != 1 {
		t.Errorf("there are %d rows, want the one from before", n)
	}
	dropped, err := store.DropIf(t.Context(), pool, "journal", func(string) bool { return false })
	if len(dropped) != 0 || err != nil {
		t.Errorf("dropped %q, %v although it stands again", dropped, err)
	}
}

func TestMakePartitionsRestoresTheJournalsWithItsForeignKey(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	p := newProject(t, pool)
	day := utc(2025, 6, 10, 0)
	oldDays(t, pool, p, day, 1)
	const keys = `select from pg_constraint where conrelid = 'journal_20250610'::regclass and contype = 'f' and conparentid <> 0`
	const triggers = `select from pg_trigger where tgrelid in ('journal_head'::regclass, 'journal_20250610'::regclass)`
	before := countRows(t, pool, triggers)
	err := pool.AcquireFunc(t.Context(), func(c *pgxpool.Conn) error { return store.DetachDay(t.Context(), c.Conn(), day) })
	if err != nil {
		t.Fatal(err)
	}
	if err := store.MakeJournalDay(t.Context(), pool, day); err != nil {
		t.Fatal(err)
	}
	if n, after := countRows(t, pool, keys), countRows(t, pool, triggers); n != 1 || after != before {
		t.Errorf("the partition has %d foreign keys of the journal, want 1; there are %d triggers, were %d", n, after, before)
	}
	exec(t, pool, `delete from projects where id = $1`, p)
	if n := countRows(t, pool, `select from journal`); n != 0 {
		t.Errorf("%d entries are left of a deleted project", n)
	}
}
