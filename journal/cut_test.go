package journal_test

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
)

// A proxy swallows answers of the server and closes the connection, 200 times, in the middle of commits: every client
// is told in the end that its reading is stored, and it is, once.
func TestCommitsWhoseAnswersAreCutAreStoredOnce(t *testing.T) {
	t.Parallel()
	const clients, cuts = 8, 200
	server := testdb.URL(t)
	observer := testdb.Open(t, server)
	project := newProject(t, observer)
	proxy := newProxy(t, server)
	r := start(t, proxy.open(t), journal.Config{})
	r.mustAppend(t, project, at(99, 0))

	var sent, refused atomic.Int64
	var sending sync.WaitGroup
	enough := make(chan struct{})
	for c := range int64(clients) {
		sending.Go(func() {
			for n := int64(0); ; n++ {
				select {
				case <-enough:
					return
				default:
				}
				for !accepted(t, r, project, at(1+c, n)) {
					refused.Add(1)
				}
				sent.Add(1)
			}
		})
	}
	retries := func() float64 { return r.metric(t, "readout_journal_retries_total") }
	for range cuts {
		before := retries()
		proxy.swallowAnswers(t)
		eventually(t, "a commit has lost its answer", func() bool { return retries() > before })
		proxy.passAnswers(t)
		entries := r.metric(t, "readout_journal_entries_total")
		eventually(t, "commits go on", func() bool { return r.metric(t, "readout_journal_entries_total") > entries })
	}
	close(enough)
	sending.Wait()

	times := make(map[reading.Reading]int)
	for _, rs := range stored(t, observer, project) {
		for _, v := range rs {
			times[v]++
		}
	}
	t.Logf("%d readings sent, %d sent again, %v retries of commits", sent.Load(), refused.Load(), retries())
	if n := int64(len(times)); n != sent.Load()+1 {
		t.Errorf("%d readings are stored, %d were acknowledged", n, sent.Load()+1)
	}
	twice := int64(0)
	for _, n := range times {
		twice += int64(n - 1)
	}
	if twice > refused.Load() { // what was sent again may be in two entries: it is the same reading
		t.Errorf("%d readings are stored twice, and %d were sent again", twice, refused.Load())
	}
	for c := range int64(clients) {
		for i, v := range r.held(project, 1+c) {
			if v != at(1+c, int64(i)) {
				t.Fatalf("the views have %v as reading %d of client %d", v, i, c)
			}
		}
	}
}

// accepted sends a reading and reports whether it is stored; else it is to be sent again.
func accepted(t *testing.T, r *replica, project int64, sent reading.Reading) bool {
	_, err := r.Append(t.Context(), project, []reading.Reading{sent})
	if err != nil {
		expectFault(t, err, fault.Unavailable, time.Second)
	}
	return err == nil
}

// proxy is a toxiproxy in front of the tests' server.
type proxy struct {
	*toxiproxy.Proxy
	server string
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p := &proxy{toxiproxy.NewProxy(api, "postgres", "127.0.0.1:0", bridge(t, server)), server}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// open returns a pool whose connections go through the proxy.
func (p *proxy) open(t *testing.T) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(p.server)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ConnConfig.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", p.Listen)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// swallowAnswers closes each connection in place of the next answer.
func (p *proxy) swallowAnswers(t *testing.T) {
	t.Helper()
	toxic := `{"name": "cut", "type": "limit_data", "stream": "downstream", "attributes": {"bytes": 0}}`
	if _, err := p.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatal(err)
	}
}

func (p *proxy) passAnswers(t *testing.T) {
	t.Helper()
	if err := p.Toxics.RemoveToxic(t.Context(), "cut"); err != nil {
		t.Fatal(err)
	}
}

// bridge passes TCP connections on to the server's socket, which a toxiproxy cannot dial, and returns where.
func bridge(t *testing.T, server string) (address string) {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(server)
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(cfg.ConnConfig.Host, ".s.PGSQL."+strconv.Itoa(int(cfg.ConnConfig.Port)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			passing.Go(func() { pass(conn, socket) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); passing.Wait() })
	return l.Addr().String()
}

// pass carries bytes in both directions until one side ends.
func pass(conn net.Conn, socket string) {
	defer conn.Close()
	other, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer other.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, other)
		_ = conn.Close()
	})
	_, _ = io.Copy(other, conn)
	_ = other.Close()
	back.Wait()
}
