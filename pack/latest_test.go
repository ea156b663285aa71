package pack_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/store"
)

// newsSource is a source of latest readings, of one project.
type newsSource struct {
	mu      sync.Mutex
	changed map[int64]store.Newest
	emptied chan struct{} // told, if somebody listens, when it is asked and has nothing
}

// change says that the newest reading of each of the series is of that offset, time and value.
func (s *newsSource) change(offset int64, series ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = map[int64]store.Newest{}
	}
	for _, id := range series {
		s.changed[id] = store.Newest{Project: 1, Series: id, Offset: offset, Time: offset, Value: float64(offset)}
	}
}

func (s *newsSource) TakeChanged(n int) (taken []store.Newest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, row := range s.changed {
		if len(taken) == n {
			break
		}
		taken = append(taken, row)
		delete(s.changed, id)
	}
	if len(taken) == 0 {
		select {
		case s.emptied <- struct{}{}:
		default:
		}
	}
	return taken
}

// latestOffsets returns the offset of each series' row, by the series.
func latestOffsets(t *testing.T, pool *pgxpool.Pool) map[int64]int64 {
	t.Helper()
	type row struct{ Series, Offset int64 }
	rows, err := pool.Query(context.WithoutCancel(t.Context()), `select series_id, "offset" from latest where value = "offset"`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[int64]int64{}
	for _, r := range all {
		offsets[r.Series] = r.Offset
	}
	return offsets
}

func checkOffsets(t *testing.T, pool *pgxpool.Pool, want map[int64]int64) {
	t.Helper()
	got := latestOffsets(t, pool)
	if len(got) != len(want) {
		t.Errorf("the offsets of the rows are %v, want %v", got, want)
	}
	for series, offset := range want {
		if got[series] != offset {
			t.Errorf("the offset of series %d is %d, want %d", series, got[series], offset)
		}
	}
}

func TestLatestFlusherWritesAllInPieces(t *testing.T) {
	t.Parallel()
	pool, source := testdb.New(t), &newsSource{}
	f := pack.NewLatestFlusher(pool, source, pack.LatestConfig{MaxRows: 2})
	source.change(4, 1, 2, 3, 4, 5)
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	source.change(6, 2)
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkOffsets(t, pool, map[int64]int64{1: 4, 2: 6, 3: 4, 4: 4, 5: 4})
}

func TestLatestFlusherKeepsWhatItCannotWrite(t *testing.T) {
	t.Parallel()
	pool, source := testdb.New(t), &newsSource{}
	f := pack.NewLatestFlusher(pool, source, pack.LatestConfig{MaxRows: 3})
	rename := func(from, to string) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), `alter table `+from+` rename to `+to); err != nil {
			t.Fatal(err)
		}
	}
	source.change(4, 1, 2, 3, 4, 5)
	rename("latest", "elsewhere")
	for range 2 {
		if err := f.Flush(t.Context()); err == nil {
			t.Fatal("there is no table, and no error")
		}
	}
	if left := len(source.changed); left != 2 {
		t.Errorf("%d changes are left with the source, want 2", left)
	}
	source.change(7, 1, 2) // newer than what it holds, of some
	rename("elsewhere", "latest")

	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkOffsets(t, pool, map[int64]int64{1: 7, 2: 7, 3: 4, 4: 4, 5: 4})
}

func TestLatestFlusherIsSilentWhenNothingChanged(t *testing.T) {
	t.Parallel()
	cfg, err := pgxpool.ParseConfig(testdb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	var statements statementCounter
	cfg.ConnConfig.Tracer = &statements
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	source := &newsSource{emptied: make(chan struct{})}
	run(t, pack.NewLatestFlusher(pool, source, pack.LatestConfig{Every: time.Millisecond}).Run, func() {
		for range 5 {
			<-source.emptied
		}
	})
	if n := statements.Load(); n != 0 {
		t.Errorf("it ran %d statements", n)
	}
}

type statementCounter struct{ atomic.Int64 }

func (c *statementCounter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.Add(1)
	return ctx
}

func (c *statementCounter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestLatestFlusherFlushesEverySoOften(t *testing.T) {
	t.Parallel()
	pool, source := testdb.New(t), &newsSource{emptied: make(chan struct{})}
	source.change(3, 1)
	run(t, pack.NewLatestFlusher(pool, source, pack.LatestConfig{Every: time.Millisecond}).Run, func() {
		<-source.emptied
		checkOffsets(t, pool, map[int64]int64{1: 3})
		source.change(4, 1)
		<-source.emptied
		checkOffsets(t, pool, map[int64]int64{1: 4})
	})
}

func TestLatestFlusherDrainsWhenItEnds(t *testing.T) {
	t.Parallel()
	pool, source := testdb.New(t), &newsSource{}
	f := pack.NewLatestFlusher(pool, source, pack.LatestConfig{Every: time.Hour, MaxRows: 1})
	run(t, f.Run, func() { source.change(3, 1, 2) })
	checkOffsets(t, pool, map[int64]int64{1: 3, 2: 3})
}

// run calls fn while Run runs, ends Run and waits for it; Run must not fail.
func run(t *testing.T, Run func(context.Context) error, fn func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx) }()
	fn()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
