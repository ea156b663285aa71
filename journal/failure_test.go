package journal_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
)

// Backends are ended at random moments while many append: what was acknowledged is stored, at the offset it was told,
// and nothing is stored twice.
func TestNothingIsLostOrDoubledWhenConnectionsBreak(t *testing.T) {
	t.Parallel()
	const writers, appends, projects = 8, 20, 3
	server := testdb.URL(t)
	observer := testdb.Open(t, server)
	r := start(t, testdb.Open(t, withApplication(t, server, "victim")), journal.Config{})
	ids := make([]int64, projects)
	for i := range ids {
		ids[i] = newProject(t, observer)
	}

	type where struct{ project, offset int64 }
	var acked sync.Map // the value of a reading → where
	var refused atomic.Int64
	var writing, killing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := range appends {
				value := float64(w*appends + n)
				project := ids[rand.IntN(projects)]
				ack, err := r.Append(t.Context(), project, []reading.Reading{{Series: int64(w), Time: int64(n), Value: value}})
				if err != nil {
					expectFault(t, err, fault.Unavailable, time.Second)
					refused.Add(1)
					continue
				}
				acked.Store(value, where{project, ack.Offset})
			}
		})
	}
	quiet := make(chan struct{})
	killing.Go(func() {
		for kills := 0; ; kills++ {
			select {
			case <-quiet:
				t.Logf("%d times all connections were broken, %v retries", kills, r.metric(t, "readout_journal_retries_total"))
				return
			case <-time.After(rand.N(25 * time.Millisecond)):
				terminate(t, observer, "victim")
			}
		}
	})
	writing.Wait()
	close(quiet)
	killing.Wait()

	found := make(map[float64]bool)
	for _, project := range ids {
		for i, rs := range stored(t, observer, project) {
			for _, v := range rs {
				if found[v.Value] {
					t.Errorf("reading %v is stored twice", v.Value)
				}
				found[v.Value] = true
				if told, ok := acked.Load(v.Value); ok && told != (where{project, int64(i + 1)}) {
					t.Errorf("reading %v is in entry %d of %d, its sender was told %v", v.Value, i+1, project, told)
				}
			}
		}
	}
	acked.Range(func(value, told any) bool {
		if !found[value.(float64)] {
			t.Errorf("reading %v was acknowledged at %v and is not stored", value, told)
		}
		return true
	})
	t.Logf("%d readings stored, %d refused", len(found), refused.Load())
}

// The answer to a commit that happened does not arrive. The journal must find the entry, not append it again.
func TestAppendWhoseAnswerIsLostIsFound(t *testing.T) {
	t.Parallel()
	server := testdb.URL(t)
	observer := testdb.Open(t, server)
	line := &line{}
	r := start(t, line.open(t, server), journal.Config{})
	project := newProject(t, observer)
	r.mustAppend(t, project, at(1, 1))

	line.loseAnswer.Store(true)
	if ack := r.mustAppend(t, project, at(1, 2)); ack.Offset != 2 {
		t.Errorf("ack %+v, want offset 2", ack)
	}
	if r.metric(t, "readout_journal_retries_total") == 0 {
		t.Error("no answer was lost")
	}
	if ack := r.mustAppend(t, project, at(1, 3)); ack.Offset != 3 {
		t.Errorf("ack %+v, want offset 3", ack)
	}
	if n := len(stored(t, observer, project)); n != 3 {
		t.Errorf("%d entries stored, want 3", n)
	}
}

// The connection breaks while the backend waits for the head. The backend does not notice, and commits later: until
// then the journal must neither append again nor say that nothing was stored.
func TestAppendWhoseBackendLivesOnIsAwaited(t *testing.T) {
	t.Parallel()
	server := testdb.URL(t)
	observer := testdb.Open(t, server)
	line := &line{}
	r := start(t, line.open(t, server), journal.Config{RetryFor: time.Minute})
	project := newProject(t, observer)
	r.mustAppend(t, project, at(1, 1))
	release := holdUp(t, observer, project)
	answer := r.background(t.Context(), project, at(1, 2))
	waitUntilHeldUp(t, observer)

	line.cut()
	eventually(t, "the journal has looked for the entry a few times", func() bool {
		return r.metric(t, "readout_journal_retries_total") > 3
	})
	release()
	if ack, err := answer(); ack.Offset != 2 || err != nil {
		t.Errorf("ack %+v, %v; want offset 2", ack, err)
	}
	if n := len(stored(t, observer, project)); n != 2 {
		t.Errorf("%d entries stored, want 2", n)
	}
}

// As above, but the journal gives up before the backend commits. It must not say that nothing was stored, and the views
// must get the entry when it appears, although nothing more is appended.
func TestEntryOfAnAppendThatWasGivenUpReachesTheViews(t *testing.T) {
	t.Parallel()
	server := testdb.URL(t)
	observer := testdb.Open(t, server)
	line := &line{}
	r := start(t, line.open(t, server), journal.Config{RetryFor: time.Millisecond})
	project := newProject(t, observer)
	r.mustAppend(t, project, at(1, 1))
	release := holdUp(t, observer, project)
	answer := r.background(t.Context(), project, at(1, 2))
	waitUntilHeldUp(t, observer)

	line.cut()
	_, err := answer()
	expectFault(t, err, fault.Unavailable, time.Second)
	if !strings.Contains(fault.Of(err).Message, "may be stored") {
		t.Errorf("the sender is told %q", fault.Of(err).Message)
	}
	release()
	r.seen.waitFor(project, 2)
}

// line is a bad line to the server, of one connection at a time.
type line struct {
	loseAnswer atomic.Bool // break the connection instead of giving the next answer

	mu   sync.Mutex
	last net.Conn
}

// open returns a pool whose connection is on the line.
func (l *line) open(t *testing.T, server string) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(server)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = 1
	cfg.ConnConfig.DialFunc = l.dial
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func (l *line) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = conn
	return &lineConn{conn, l}, nil
}

// cut breaks the connection that was made last.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.last.Close()
}

type lineConn struct {
	net.Conn
	line *line
}

func (c *lineConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil && c.line.loseAnswer.CompareAndSwap(true, false) {
		return 0, errors.Join(io.ErrUnexpectedEOF, c.Close())
	}
	return n, err
}

// Write does not let a request through that cancels what runs (its code is 80877102): pgx sends one when a connection
// breaks, and it would not get through a line that is really broken.
func (c *lineConn) Write(b []byte) (int, error) {
	if len(b) == 16 && binary.BigEndian.Uint32(b[4:]) == 80877102 {
		return 0, io.ErrClosedPipe
	}
	return c.Conn.Write(b)
}

func TestAppendIsUnavailableWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	r, project := setup(t, journal.Config{RetryFor: 50 * time.Millisecond})
	r.mustAppend(t, project, at(1, 1))
	r.pool.Close()
	_, err := r.Append(t.Context(), project, []reading.Reading{at(1, 2)})
	expectFault(t, err, fault.Unavailable, time.Second)
	_, err = r.Append(t.Context(), project+1, []reading.Reading{at(1, 2)})
	expectFault(t, err, fault.Unavailable, time.Second)
}

func TestOutageIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	const retryFor = 500 * time.Millisecond
	r, project := setup(t, journal.Config{RetryFor: retryFor})
	r.mustAppend(t, project, at(1, 1))
	r.pool.Close()
	began := time.Now()
	for i := range 10 {
		_, err := r.Append(t.Context(), project, []reading.Reading{at(1, int64(i))})
		expectFault(t, err, fault.Unavailable, time.Second)
		if took := time.Since(began); i == 0 && took < retryFor || took > 4*retryFor {
			t.Fatalf("append %d was answered after %s", i+1, took)
		}
	}
}

// The backend is ended while it waits for the head: it has not committed, which the journal must find out and append
// again, so that the caller never notices.
func TestAppendSurvivesABackendThatIsEnded(t *testing.T) {
	t.Parallel()
	server := testdb.URL(t)
	observer := testdb.Open(t, server)
	r := start(t, testdb.Open(t, withApplication(t, server, "victim")), journal.Config{})
	project := newProject(t, observer)
	r.mustAppend(t, project, at(1, 1))
	release := holdUp(t, observer, project)
	answer := r.background(t.Context(), project, at(1, 2))
	waitUntilHeldUp(t, observer)
	terminate(t, observer, "victim")
	release()
	if ack, err := answer(); ack.Offset != 2 || err != nil {
		t.Errorf("ack %+v, %v; want offset 2", ack, err)
	}
	if n := len(stored(t, observer, project)); n != 2 {
		t.Errorf("%d entries stored, want 2", n)
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
