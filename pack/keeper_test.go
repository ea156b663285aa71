package pack_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// kept is a database with a project, "other", that keeps for a month and a half what another keeps for a week.
type kept struct {
	pool         *pgxpool.Pool
	short, other int64
	now          time.Time
}

// keepSetup gives both projects, and one that does not exist, a chunk in each of the four months up to now.
func keepSetup(t *testing.T) kept {
	k := kept{pool: testdb.New(t), now: time.Now().UTC()}
	k.short, k.other = k.project(t, 7), k.project(t, 45)
	for i := range 4 {
		month := time.Date(k.now.Year(), k.now.Month()-time.Month(i), 1, 0, 0, 0, 0, time.UTC)
		if err := store.MakePackPartitions(t.Context(), k.pool, month, month); err != nil {
			t.Fatal(err)
		}
		k.exec(t, `insert into chunk (project_id, series_id, first_time, last_time, count, payload)
			select p, 1, $2, $2, 1, '' from unnest($1::bigint[]) p`, []int64{k.short, k.other, 404}, month.UnixMicro())
	}
	return k
}

func (k kept) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := k.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (k kept) project(t *testing.T, days int) (id int64) {
	t.Helper()
	row := k.pool.QueryRow(t.Context(), `
		insert into projects (name, keep_readings_days, keep_rollups_days) values ('test', $1, $1) returning id`, days)
	if err := row.Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// months returns which months before now a project has chunks of, from the oldest.
func (k kept) months(t *testing.T, project int64) []int {
	t.Helper()
	rows, err := k.pool.Query(t.Context(), `
		select 12 * (extract(year from $2::timestamp)::int - extract(year from m)::int)
			+ extract(month from $2::timestamp)::int - extract(month from m)::int
		from chunk, lateral (select timestamp 'epoch' + first_time * interval '1 microsecond' as m) m
		where project_id = $1 order by first_time`, project, k.now)
	if err != nil {
		t.Fatal(err)
	}
	months, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	return months
}

// since returns the months from the one that now - days is in to now's.
func (k kept) since(days int) (months []int) {
	oldest := store.KeptSince(k.now, days)
	for i := 3; i >= 0; i-- {
		if !time.Date(k.now.Year(), k.now.Month()-time.Month(i), 1, 0, 0, 0, 0, time.UTC).Before(oldest) {
			months = append(months, i)
		}
	}
	return months
}

func (k kept) partitions(t *testing.T, parent string) (names []string) {
	t.Helper()
	rows, err := k.pool.Query(t.Context(),
		`select inhrelid::regclass::text from pg_inherits where inhparent = $1::text::regclass order by 1`, parent)
	if err != nil {
		t.Fatal(err)
	}
	if names, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestKeeperMakesPartitionsAhead(t *testing.T) {
	t.Parallel()
	k := kept{pool: testdb.New(t), now: time.Now().UTC()}
	if err := pack.NewKeeper(k.pool, pack.KeeperConfig{DaysAhead: 40}).Keep(t.Context(), k.now); err != nil {
		t.Fatal(err)
	}
	f := func(parent, layout string, at time.Time) {
		t.Helper()
		want := parent + at.Format(layout)
		if got := k.partitions(t, strings.TrimRight(parent, "_")); !slices.Contains(got, want) {
			t.Errorf("there are %q, want %s among them", got, want)
		}
	}
	for _, days := range []int{0, 40} {
		at := k.now.AddDate(0, 0, days)
		f("journal_", "20060102", at)
		f("chunk_", "200601", at)
		f("rollup_hour_", "200601", at)
		f("rollup_day_", "2006", at)
	}
}

func TestKeeperKeepsForEachProjectWhatItKeeps(t *testing.T) {
	t.Parallel()
	k := keepSetup(t)
	keeper := pack.NewKeeper(k.pool, pack.KeeperConfig{})
	for range 2 {
		if err := keeper.Keep(t.Context(), k.now); err != nil {
			t.Fatal(err)
		}
		if got, want := k.months(t, k.short), k.since(7); !slices.Equal(got, want) {
			t.Errorf("of one week there are the chunks of months %v, want %v", got, want)
		}
		if got, want := k.months(t, k.other), k.since(45); !slices.Equal(got, want) {
			t.Errorf("of 45 days there are the chunks of months %v, want %v", got, want)
		}
		if got := k.months(t, 404); len(got) != 0 {
			t.Errorf("of no project there are the chunks of months %v", got)
		}
		// Beside those of the months that the longer one keeps there may be one made ahead.
		if got, want := len(k.partitions(t, "chunk")), len(k.since(45)); got != want && got != want+1 {
			t.Errorf("there are %d partitions, want %d or one more", got, want)
		}
	}
}

func TestKeeperDoesTheRestWhenAPartFails(t *testing.T) {
	t.Parallel()
	k := keepSetup(t)
	long, err := k.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer long.Rollback(t.Context())
	if _, err := long.Exec(t.Context(), `select from chunk`); err != nil {
		t.Fatal(err)
	}
	if err := pack.NewKeeper(k.pool, pack.KeeperConfig{}).Keep(t.Context(), k.now); err == nil {
		t.Error("it dropped partitions that a transaction uses")
	}
	if got, want := k.months(t, k.short), k.since(7); !slices.Equal(got, want) {
		t.Errorf("of one week there are the chunks of months %v, want %v", got, want)
	}
	if got := k.months(t, 404); len(got) != 0 {
		t.Errorf("of no project there are the chunks of months %v", got)
	}
}

func TestKeeperLeavesTheWorkToAnother(t *testing.T) {
	t.Parallel()
	k := keepSetup(t)
	_, err := store.KeepAlone(t.Context(), k.pool, func() error {
		return pack.NewKeeper(k.pool, pack.KeeperConfig{}).Keep(t.Context(), k.now)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := k.months(t, k.short); len(got) != 4 {
		t.Errorf("while another keeps there are the chunks of months %v, want 4", got)
	}
}

func TestKeeperDeletesSeriesThatTheJournalMissed(t *testing.T) {
	t.Parallel()
	k := keepSetup(t)
	err := store.PutLatest(t.Context(), k.pool, []store.Newest{
		{Project: k.short, Series: 1, Offset: 1}, {Project: k.other, Series: 2, Offset: 1}, {Project: k.other, Series: 3, Offset: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	away := errors.New("the journal is away")
	result := away
	deleted := map[int64][]reading.Deletion{}
	keeper := pack.NewKeeper(k.pool, pack.KeeperConfig{Delete: func(_ context.Context, project int64, ds []reading.Deletion) error {
		deleted[project] = append(deleted[project], ds...)
		return result
	}})
	if err := keeper.Keep(t.Context(), k.now); !errors.Is(err, away) {
		t.Errorf("the error is %v, want %v", err, away)
	}
	clear(deleted)
	result = nil
	for range 2 { // the second round is too soon to look again
		if err := keeper.Keep(t.Context(), k.now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if ds := deleted[k.short]; !slices.Equal(ds, []reading.Deletion{reading.DeleteAll(1)}) {
			t.Errorf("of one project it deleted %v", ds)
		}
		if ds := deleted[k.other]; !slices.Equal(ds, []reading.Deletion{reading.DeleteAll(2), reading.DeleteAll(3)}) {
			t.Errorf("of the other it deleted %v", ds)
		}
	}
	if err := keeper.Keep(t.Context(), k.now.AddDate(0, 0, 2)); err != nil {
		t.Fatal(err)
	}
	if ds := deleted[k.short]; len(ds) != 2 {
		t.Errorf("two days later, not packed yet, it had deleted %v", ds)
	}
}

func TestKeeperRunsARoundAtOnceAndThenEverySoOften(t *testing.T) {
	t.Parallel()
	k := keepSetup(t)
	if err := store.PutLatest(t.Context(), k.pool, []store.Newest{{Project: k.short, Series: 1, Offset: 1}}); err != nil {
		t.Fatal(err)
	}
	rounds := make(chan struct{})
	keeper := pack.NewKeeper(k.pool, pack.KeeperConfig{
		Every: time.Millisecond,
		Delete: func(ctx context.Context, _ int64, _ []reading.Deletion) error {
			select {
			case rounds <- struct{}{}:
			case <-ctx.Done():
			}
			return errors.New("try again")
		},
	})
	run(t, keeper.Run, func() {
		for range 3 {
			<-rounds
		}
	})
}
