package journal_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, // but for the tests' server, which lives as long as the binary
		goleak.IgnoreAnyFunction("github.com/readout-dev/readout/store.(*Embedded).watch"),
		goleak.IgnoreAnyFunction("github.com/readout-dev/readout/store.startProcess.func1"),
		goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"))
}

// replica is a process that appends and follows, in small.
type replica struct {
	*journal.Journal
	pool     *pgxpool.Pool
	follower *journal.Follower
	tail     *tail.Tail
	hub      *live.Hub
	seen     *recorder
	metrics  *prometheus.Registry
	stop     func() // ends Run and waits for it
}

// setup returns a running replica on a database of its own, and a project.
func setup(t testing.TB, cfg journal.Config) (*replica, int64) {
	t.Helper()
	pool := testdb.New(t)
	return start(t, pool, cfg), newProject(t, pool)
}

// start runs a replica on the database of pool until the test ends.
func start(t testing.TB, pool *pgxpool.Pool, cfg journal.Config) *replica {
	t.Helper()
	r := newReplica(t, pool, cfg)
	r.stop = running(t, r.Run)
	return r
}

// newReplica returns a replica that does not run yet.
func newReplica(t testing.TB, pool *pgxpool.Pool, cfg journal.Config) *replica {
	r := &replica{pool: pool, tail: tail.New(), seen: newRecorder(t), metrics: prometheus.NewRegistry()}
	cfg.Metrics = r.metrics
	r.hub = live.New(journal.NewReader(pool), live.Config{MaxEntries: 4})
	r.follower = journal.NewFollower(pool, r.tail, r.hub, r.seen)
	r.Journal = journal.New(pool, r.follower, r.tail.LatestTime, cfg)
	return r
}

// running calls run until the test ends or stop is called, which waits for its end.
func running(t testing.TB, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// held returns the readings of a series in the tail.
func (r *replica) held(project, series int64) []reading.Reading {
	return r.tail.Snapshot(project, []int64{series}, math.MinInt64, math.MaxInt64).Readings[0]
}

// recorder is a view that wants what every view may rely on.
type recorder struct {
	t testing.TB

	mu      sync.Mutex
	entries map[int64][]journal.Entry
	next    map[int64]int64
	began   map[int64][]journal.Beginning
	trimmed map[int64]int64
	changed chan struct{} // closed and replaced at each change
}

func newRecorder(t testing.TB) *recorder {
	return &recorder{
		t: t, entries: make(map[int64][]journal.Entry), next: make(map[int64]int64),
		began: make(map[int64][]journal.Beginning), trimmed: make(map[int64]int64), changed: make(chan struct{}),
	}
}

func (r *recorder) Start(b journal.Beginning) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if next := r.next[b.Project]; next > b.After {
		r.t.Errorf("project %d begins anew behind %d, where entry %d belongs", b.Project, b.After, next)
	}
	r.next[b.Project] = b.After + 1
	r.began[b.Project] = append(r.began[b.Project], b)
}

func (r *recorder) Trim(project, upto int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if next := r.next[project]; upto >= next {
		r.t.Errorf("project %d is trimmed up to %d, before entry %d", project, upto, next)
	}
	r.trimmed[project] = max(r.trimmed[project], upto)
}

func (r *recorder) Apply(e journal.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next[e.Project] != e.Offset {
		r.t.Errorf("project %d: entry %d came where %d belongs", e.Project, e.Offset, r.next[e.Project])
	}
	r.next[e.Project] = e.Offset + 1
	r.entries[e.Project] = append(r.entries[e.Project], e)
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recorder) ForgetProject(project int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.entries, project)
	delete(r.next, project)
}

// of returns the entries of project seen so far.
func (r *recorder) of(project int64) []journal.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.entries[project])
}

// waitFor returns when n entries of project were seen.
func (r *recorder) waitFor(project int64, n int) {
	r.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		have, changed := len(r.entries[project]), r.changed
		r.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			r.t.Fatalf("%d entries of project %d were seen, want %d", have, project, n)
		}
	}
}

// holdUp locks the head of a project, so that its next commit waits until release is called.
func holdUp(t *testing.T, pool *pgxpool.Pool, project int64) (release func()) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	tx, err := pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, `select from journal_head where project_id = $1 for update`, project); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		if err := tx.Rollback(ctx); err != nil {
			t.Errorf("release the head: %v", err)
		}
	})
	t.Cleanup(release)
	return release
}

// waitUntilHeldUp returns when a commit waits for holdUp's lock.
func waitUntilHeldUp(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	eventually(t, "a commit waits for the head", func() bool {
		var waiting bool
		row := pool.QueryRow(t.Context(), `select exists (select from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock')`)
		if err := row.Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		return waiting
	})
}

// waitUntilQueued returns when n readings wait for the flusher.
func (r *replica) waitUntilQueued(t *testing.T, n float64) {
	t.Helper()
	eventually(t, fmt.Sprintf("%v readings are queued", n), func() bool {
		return r.metric(t, "readout_journal_queued_readings") == n
	})
}

// metric returns the value of a counter or gauge.
func (r *replica) metric(t testing.TB, name string) float64 {
	t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// eventually asks until is true, for what gives no signal.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

// background runs Append and returns a function that waits for its answer.
func (r *replica) background(ctx context.Context, project int64, rs ...reading.Reading) func() (journal.Ack, error) {
	return inBackground(func() (journal.Ack, error) { return r.Append(ctx, project, rs) })
}

// inBackground runs call and returns a function that waits for its answer.
func inBackground(call func() (journal.Ack, error)) func() (journal.Ack, error) {
	type answer struct {
		ack journal.Ack
		err error
	}
	done := make(chan answer, 1)
	go func() {
		ack, err := call()
		done <- answer{ack, err}
	}()
	return func() (journal.Ack, error) {
		a := <-done
		return a.ack, a.err
	}
}

func (r *replica) mustAppend(t testing.TB, project int64, rs ...reading.Reading) journal.Ack {
	t.Helper()
	ack, err := r.Append(t.Context(), project, rs)
	if err != nil {
		t.Fatal(err)
	}
	return ack
}

func expectFault(t testing.TB, err error, code fault.Code, retryAfter time.Duration) {
	t.Helper()
	if err == nil || fault.Of(err).Code != code || fault.Of(err).RetryAfter != retryAfter {
		t.Errorf("error %v, want code %q with %v to wait", err, code, retryAfter)
	}
}

func at(series, time int64) reading.Reading {
	return reading.Reading{Series: series, Time: time, Value: float64(series*1000 + time)}
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

func exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// stored returns the readings of each entry in the database; the offsets must be dense.
func stored(t testing.TB, pool *pgxpool.Pool, project int64) [][]reading.Reading {
	t.Helper()
	rows, err := pool.Query(t.Context(), `select "offset", payload from journal where project_id = $1 order by "offset"`, project)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]reading.Reading
	var offset int64
	var payload []byte
	_, err = pgx.ForEachRow(rows, []any{&offset, &payload}, func() error {
		rs, err := reading.Decode(nil, payload)
		all = append(all, rs)
		if offset != int64(len(all)) {
			t.Errorf("project %d has offset %d where %d belongs", project, offset, len(all))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if head, _, err := store.Head(t.Context(), pool, project); err != nil || head != int64(len(all)) {
		t.Errorf("project %d has head %d, %v and %d entries", project, head, err, len(all))
	}
	return all
}
