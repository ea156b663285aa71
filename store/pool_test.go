package store_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func TestOpenSetsWhatEverySessionNeeds(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	for name, want := range map[string]string{
		"application_name":                    "readout",
		"statement_timeout":                   "30s",
		"idle_in_transaction_session_timeout": "1min",
		"TimeZone":                            "UTC",
		"synchronous_commit":                  "on",
		"plan_cache_mode":                     "force_custom_plan",
	} {
		var got string
		if err := pool.QueryRow(t.Context(), `select current_setting($1)`, name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
	if got := pool.Config().MaxConns; got != 16 {
		t.Errorf("a pool has %d connections at most, want 16", got)
	}
}

func TestOpenLetsTheURLDecide(t *testing.T) {
	t.Parallel()
	pc, err := store.PoolConfigOf("postgres://u@h/d?statement_timeout=5&application_name=mine&connect_timeout=9",
		store.PoolConfig{MaxConns: 3, StatementTimeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	params := pc.ConnConfig.RuntimeParams
	if params["statement_timeout"] != "5" || params["application_name"] != "mine" {
		t.Errorf("the URL's parameters are lost: %v", params)
	}
	if pc.MaxConns != 3 || pc.ConnConfig.ConnectTimeout != 9*time.Second {
		t.Errorf("%d connections, %v to connect; want 3, 9s", pc.MaxConns, pc.ConnConfig.ConnectTimeout)
	}
}

// The parameters of TCP read as 0 over the Unix socket of the tests.
func TestOpenLetsTheServerNoticeAPeerThatIsGone(t *testing.T) {
	t.Parallel()
	pc, err := store.PoolConfigOf("postgres://u@h/d?tcp_keepalives_idle=7", store.PoolConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"tcp_keepalives_idle": "7", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3", "tcp_user_timeout": "60000",
	} {
		if got := pc.ConnConfig.RuntimeParams[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestOpenKeepsURLAndPasswordToItself(t *testing.T) {
	t.Parallel()
	for url, code := range map[string]fault.Code{
		"postgres://user:hunter2@db.example:port/x":                      fault.Invalid,
		"host=db.example password=hunter2 sslmode=sometimes":             fault.Invalid,
		"postgres://user:hunter2@127.0.0.1:1/x?connect_timeout=1":        fault.Unavailable,
		"postgres://user:hunter2@/x?host=/nonexistent&connect_timeout=1": fault.Unavailable,
	} {
		_, err := store.Open(t.Context(), url, store.PoolConfig{})
		if !fault.Is(err, code) {
			t.Errorf("open %s: %v, want %s", url, err, code)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), url) {
			t.Errorf("the error shows the URL: %v", err)
		}
	}
}

func TestOpenRefusesAnOldServer(t *testing.T) {
	t.Parallel()
	if err := store.CheckVersion(149999); !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Of(err).Message, "14") {
		t.Errorf("PostgreSQL 14: %v, want a conflict", err)
	}
	if err := store.CheckVersion(150000); err != nil {
		t.Errorf("PostgreSQL 15: %v", err)
	}
}

func TestDurableNamesWhatIsOff(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	if problem, err := store.Durable(t.Context(), testdb.Open(t, url)); err != nil || problem != "" {
		t.Errorf("a durable server: %q, %v", problem, err)
	}
	var log bytes.Buffer
	pool, err := store.Open(t.Context(), url+"&synchronous_commit=off",
		store.PoolConfig{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	problem, err := store.Durable(t.Context(), pool)
	if err != nil || !strings.HasPrefix(problem, "synchronous_commit off: ") {
		t.Errorf("a session that does not wait for its commits: %q, %v", problem, err)
	}
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "synchronous_commit off") {
		t.Errorf("Open has logged %q", log.String())
	}
}

func TestMaintainLiftsTheTimeoutsForItsWorkAlone(t *testing.T) {
	t.Parallel()
	pool, err := store.Open(t.Context(), testdb.URL(t), store.PoolConfig{MaxConns: 1, StatementTimeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	err = store.Maintain(t.Context(), pool, func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), `select pg_sleep(1)`)
		return err
	})
	if err != nil {
		t.Errorf("a long statement of maintenance: %v", err)
	}
	if _, err := pool.Exec(t.Context(), `select pg_sleep(9)`); !fault.Is(store.Fault(err), fault.Unavailable) {
		t.Errorf("a long statement after it: %v, want the timeout", err)
	}
	// A context that ends in the middle must not leave a connection without timeouts either.
	ctx, cancel := context.WithCancel(t.Context())
	_ = store.Maintain(ctx, pool, func(*pgx.Conn) error { cancel(); return nil })
	if _, err := pool.Exec(t.Context(), `select pg_sleep(9)`); !fault.Is(store.Fault(err), fault.Unavailable) {
		t.Errorf("a long statement after canceled maintenance: %v, want the timeout", err)
	}
}

func TestMaintainAwakeEndsTransactionsThatAreIdle(t *testing.T) {
	t.Parallel()
	pool, err := store.Open(t.Context(), testdb.URL(t)+"&idle_in_transaction_session_timeout=100",
		store.PoolConfig{MaxConns: 1, StatementTimeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	err = store.MaintainAwake(t.Context(), pool, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `select pg_sleep(0.6)`); err != nil {
				t.Errorf("a long statement: %v", err)
			}
			time.Sleep(500 * time.Millisecond) // idle, which the connection does not tell
			_, err := tx.Exec(t.Context(), `select 1`)
			return store.Fault(err)
		})
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("after a transaction was idle: %v, want %v", err, fault.Unavailable)
	}
	if _, err := pool.Exec(t.Context(), `select pg_sleep(9)`); !fault.Is(store.Fault(err), fault.Unavailable) {
		t.Errorf("a long statement after it: %v, want the timeout", err)
	}
}
