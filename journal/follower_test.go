package journal_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// elsewhere appends an entry as another process would.
func elsewhere(t testing.TB, pool *pgxpool.Pool, project int64, rs ...reading.Reading) int64 {
	t.Helper()
	item := store.Pending{Project: project, Kind: 1, Count: len(rs), Payload: reading.Encode(nil, rs)}
	placed, err := store.AppendEntries(t.Context(), pool, uuid.New(), []store.Pending{item})
	if err != nil || len(placed) != 1 {
		t.Fatalf("append elsewhere: %v, %v", placed, err)
	}
	return placed[0].Offset
}

func TestFollowLoadsTheJournalOnce(t *testing.T) {
	t.Parallel()
	const entries, callers = 600, 10 // more than two pages
	pool := testdb.New(t)
	project := newProject(t, pool)
	for i := range int64(entries) {
		elsewhere(t, pool, project, at(1, i))
	}
	seen := newRecorder(t)
	f := journal.NewFollower(pool, seen)
	if _, ok := f.Applied(project); ok {
		t.Error("a project is followed before Follow")
	}
	var done sync.WaitGroup
	for range callers {
		done.Go(func() {
			if err := f.Follow(t.Context(), project); err != nil {
				t.Error(err)
			}
			if n := len(seen.of(project)); n != entries {
				t.Errorf("Follow came back after %d entries of %d", n, entries)
			}
		})
	}
	done.Wait()
	for i, e := range seen.of(project) {
		if e.Project != project || !slices.Equal(e.Readings, []reading.Reading{at(1, int64(i))}) {
			t.Errorf("entry %d came as %+v", i+1, e)
		}
	}
	if offset, ok := f.Applied(project); offset != entries || !ok {
		t.Errorf("applied %d, %v; want %d", offset, ok, entries)
	}
}

func TestFollowStartsBehindWhatIsPacked(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	project := newProject(t, pool)
	for i := range int64(5) {
		elsewhere(t, pool, project, at(1, i))
	}
	exec(t, pool, `insert into packing (project_id, packed_to) values ($1, 3)`, project)
	exec(t, pool, `delete from journal where project_id = $1 and "offset" <= 3`, project)
	seen := newRecorder(t)
	f := journal.NewFollower(pool, seen)
	if err := f.Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	if got := seen.of(project); len(got) != 2 || got[0].Offset != 4 {
		t.Errorf("the views saw %+v, want the entries 4 and 5", got)
	}
}

func TestViewsBeginWithTheNewestReadings(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	project := newProject(t, pool)
	for i := range int64(3) {
		elsewhere(t, pool, project, at(1, i))
	}
	exec(t, pool, `insert into packing (project_id, packed_to) values ($1, 2)`, project)
	exec(t, pool, `insert into latest (project_id, series_id, "time", value, "offset") values
		($1, 1, '1970-01-01 00:00:00.000001Z', 1001, 2), ($1, 2, '2026-03-01Z', -7.5, 2), ($1, 3, null, null, 2),
		($2, 4, '2026-03-01Z', 1, 2)`, project, newProject(t, pool))
	seen := newRecorder(t)
	if err := journal.NewFollower(pool, seen).Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	began := seen.began[project][0]
	slices.SortFunc(began.Latest, reading.Compare)
	march := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	want := []reading.Reading{at(1, 1), {Series: 2, Time: march, Value: -7.5}}
	if began.Project != project || began.After != 2 || !slices.Equal(began.Latest, want) {
		t.Errorf("the views begin with %+v, want %v behind 2", began, want)
	}
}

// A replica slept while the others went on, packed, and dropped what it has not had.
func TestFollowerThatFellBehindWhatIsDroppedBeginsAnew(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	project := newProject(t, pool)
	seen := newRecorder(t)
	f := journal.NewFollower(pool, seen)
	elsewhere(t, pool, project, at(1, 1))
	if err := f.Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	for i := range int64(8) {
		elsewhere(t, pool, project, at(1, 2+i))
	}
	drop := func(offsets ...int64) {
		t.Helper()
		exec(t, pool, `delete from journal where project_id = $1 and "offset" = any ($2)`, project, offsets)
	}
	drop(2, 3)
	if err := f.CatchUp(t.Context(), project); err == nil || !strings.Contains(err.Error(), "entry 2 is missing") {
		t.Errorf("a hole in what is not packed: %v", err)
	}
	exec(t, pool, `insert into packing (project_id, packed_to) values ($1, 6)`, project)
	drop(5) // in the middle of a page
	for range 2 {
		if err := f.CatchUp(t.Context(), project); err != nil {
			t.Fatal(err)
		}
	}
	var offsets []int64
	for _, e := range seen.of(project) {
		offsets = append(offsets, e.Offset)
	}
	if want := []int64{1, 7, 8, 9}; !slices.Equal(offsets, want) || len(seen.began[project]) != 2 {
		t.Errorf("the views saw %v and %d beginnings; want %v and 2", offsets, len(seen.began[project]), want)
	}
}

func TestViewsAreToldWhatIsPackedOnceTheyHaveIt(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	project := newProject(t, pool)
	seen := newRecorder(t)
	f := journal.NewFollower(pool, seen)
	f.Packed(project, 3) // nobody follows it
	elsewhere(t, pool, project, at(1, 1))
	if err := f.Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	trimmed := func(want int64) {
		t.Helper()
		if got := seen.trimmed[project]; got != want {
			t.Errorf("the views were told that %d are packed, want %d", got, want)
		}
	}
	trimmed(0)
	elsewhere(t, pool, project, at(1, 2))
	elsewhere(t, pool, project, at(1, 3))
	f.Packed(project, 2) // of which the views have one
	trimmed(1)
	if err := f.CatchUp(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	trimmed(2)
	exec(t, pool, `insert into packing (project_id, packed_to) values ($1, 3)`, project) // another replica
	if err := f.CatchUp(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	trimmed(3)
}

func TestProjectThatWasDeletedElsewhereIsForgotten(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	project := newProject(t, pool)
	elsewhere(t, pool, project, at(1, 1))
	f := journal.NewFollower(pool, newRecorder(t))
	if err := f.Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, `delete from projects where id = $1`, project)
	if err := f.CatchUp(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	if _, ok := f.Applied(project); ok {
		t.Error("a project that does not exist any more is still followed")
	}
}

func TestFollowEndsWithItsContextAndTheNextOneGoesOn(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	project := newProject(t, pool)
	elsewhere(t, pool, project, at(1, 1))
	seen := newRecorder(t)
	f := journal.NewFollower(pool, seen)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Follow(ended, project); err == nil {
		t.Error("no error from an ended context")
	}
	if err := f.Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	if n := len(seen.of(project)); n != 1 {
		t.Errorf("%d entries seen, want 1", n)
	}
}

func TestCommittedReadsWhatOthersWroteFirstAndIgnoresWhatIsKnown(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	project, unfollowed := newProject(t, pool), newProject(t, pool)
	seen := newRecorder(t)
	f := journal.NewFollower(pool, seen)
	if err := f.Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	committed := func(project, offset int64) {
		t.Helper()
		e := journal.Entry{Project: project, Offset: offset, Readings: []reading.Reading{at(1, offset)}}
		if err := f.Committed(t.Context(), e); err != nil {
			t.Error(err)
		}
	}
	for i := range int64(6) {
		elsewhere(t, pool, project, at(1, 1+i))
	}
	committed(project, 1)
	committed(project, 4) // reads on to 4 at least
	if offset, _ := f.Applied(project); offset < 4 {
		t.Errorf("applied %d, want 4 at least", offset)
	}
	committed(project, 2)
	committed(project, 6)
	committed(unfollowed, 1)
	if n := len(seen.of(project)); n != 6 {
		t.Errorf("%d entries seen, want 6", n)
	}
	if _, ok := f.Applied(unfollowed); ok {
		t.Error("a project is followed that nobody asked for")
	}
}

func TestCatchUpReadsWhatOthersWrote(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	project := newProject(t, pool)
	elsewhere(t, pool, project, at(1, 1))
	seen := newRecorder(t)
	f := journal.NewFollower(pool, seen)
	catchUp := func(want int) {
		t.Helper()
		if err := f.CatchUp(t.Context(), project); err != nil {
			t.Error(err)
		}
		if n := len(seen.of(project)); n != want {
			t.Errorf("%d entries seen, want %d", n, want)
		}
	}
	catchUp(0) // nobody has asked for it
	if err := f.Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	elsewhere(t, pool, project, at(1, 2))
	elsewhere(t, pool, project, at(1, 3))
	if err := f.Follow(t.Context(), project); err != nil || len(seen.of(project)) != 1 {
		t.Errorf("Follow asked the database: %d entries, %v", len(seen.of(project)), err)
	}
	catchUp(3)
	catchUp(3)
}

func TestForgottenProjectIsLoadedAnew(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	project := newProject(t, pool)
	elsewhere(t, pool, project, at(1, 1))
	seen := newRecorder(t)
	f := journal.NewFollower(pool, seen)
	for range 2 {
		if err := f.Follow(t.Context(), project); err != nil {
			t.Fatal(err)
		}
		if n := len(seen.of(project)); n != 1 {
			t.Errorf("%d entries seen, want 1", n)
		}
		f.Forget(project)
		if n := len(seen.of(project)); n != 0 {
			t.Errorf("the views still have %d entries", n)
		}
	}
	f.Forget(project)
}

func TestReadGivesEntriesBehindAnOffset(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	project := newProject(t, pool)
	for i := range int64(5) {
		elsewhere(t, pool, project, at(1, i), at(2, i))
	}
	r := journal.NewReader(pool)
	read := func(after int64, limit int, want ...int64) {
		t.Helper()
		entries, err := r.Read(t.Context(), project, after, limit)
		var got []int64
		for _, e := range entries {
			got = append(got, e.Offset)
			if want := []reading.Reading{at(1, e.Offset-1), at(2, e.Offset-1)}; !slices.Equal(e.Readings, want) {
				t.Errorf("entry %d has %v, want %v", e.Offset, e.Readings, want)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("read %d after %d: %v, %v; want %v", limit, after, got, err, want)
		}
	}
	read(0, 10, 1, 2, 3, 4, 5)
	read(1, 2, 2, 3)
	read(5, 10)
	read(9, 10)
}

func TestEntryThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	spoil := func(sql string, want string) {
		t.Helper()
		project := newProject(t, pool)
		for i := range int64(3) {
			elsewhere(t, pool, project, at(1, i))
		}
		exec(t, pool, sql, project)
		f := journal.NewFollower(pool, newRecorder(t))
		_, readErr := journal.NewReader(pool).Read(t.Context(), project, 0, 10)
		for _, err := range []error{f.Follow(t.Context(), project), readErr} {
			if err == nil || !strings.Contains(err.Error(), want) || fault.Of(err).Code != fault.Internal {
				t.Errorf("after %s: %v, want an internal error with %q", sql, err, want)
			}
		}
	}
	spoil(`update journal set payload = 'rubbish' where project_id = $1 and "offset" = 2`, "decode entry 2 of project")
	spoil(`update journal set count = 9 where project_id = $1 and "offset" = 2`, "decode entry 2 of project")
	spoil(`update journal set kind = 9 where project_id = $1 and "offset" = 2`, "decode entry 2 of project")
	spoil(`delete from journal where project_id = $1 and "offset" = 2`, "entry 2 is missing")
}

// Two replicas on one database append to the same projects, while queries come and go: the views of both see
// everything in order. The recorder checks the order.
func TestReplicasSeeEachOthersEntriesInOrder(t *testing.T) {
	t.Parallel()
	const projects, writers, appends = 3, 4, 30
	pool := testdb.New(t)
	replicas := []*replica{start(t, pool, journal.Config{}), start(t, pool, journal.Config{})}
	ids := make([]int64, projects)
	for i := range ids {
		ids[i] = newProject(t, pool)
	}
	var done sync.WaitGroup
	for i, r := range replicas {
		for w := range writers {
			done.Go(func() {
				for n := range appends {
					project := ids[rand.IntN(projects)]
					ack := r.mustAppend(t, project, at(int64(1+i*writers+w), int64(n)))
					if applied, ok := r.follower.Applied(project); !ok || applied < ack.Offset {
						t.Errorf("acknowledged at %d, applied up to %d", ack.Offset, applied)
					}
					if rand.IntN(4) == 0 {
						if err := r.follower.Follow(t.Context(), ids[rand.IntN(projects)]); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
	}
	done.Wait()
	for _, r := range replicas {
		for _, project := range ids {
			r.mustAppend(t, project, at(99, 0)) // the last one brings each up to what the other wrote before
		}
	}
	last := replicas[1]
	for _, project := range ids {
		want := stored(t, pool, project)
		got := last.seen.of(project)
		if !slices.EqualFunc(got, want, func(e journal.Entry, rs []reading.Reading) bool { return slices.Equal(e.Readings, rs) }) {
			t.Errorf("project %d: %d entries seen, %d stored", project, len(got), len(want))
		}
	}
}

// An entry of another process cannot be read when ours behind it is committed: ours is durable and acknowledged, and
// the views get both as soon as the first can be read, without a further append.
func TestViewsThatFellBehindCatchUpByThemselves(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{})
	r.mustAppend(t, project, at(1, 1))
	offset := elsewhere(t, r.pool, project, at(1, 2))
	exec(t, r.pool, `update journal set count = -count where project_id = $1 and "offset" = $2`, project, offset)

	if ack := r.mustAppend(t, project, at(1, 3)); ack.Offset != 3 {
		t.Errorf("offset %d, want 3", ack.Offset)
	}
	if err := r.follower.Follow(t.Context(), project); err == nil {
		t.Error("Follow says that the views have what cannot be read")
	}
	exec(t, r.pool, `update journal set count = -count where project_id = $1 and "offset" = $2`, project, offset)
	r.seen.waitFor(project, 3)
}
