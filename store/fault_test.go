package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func TestFaultTranslatesWhatPostgresSays(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	_, err := pool.Exec(t.Context(), `
		create table parent (id int primary key, name varchar(5) not null, size smallint check (size > 0));
		create table child (parent int references parent);
		insert into parent values (1, 'one', 1)`)
	if err != nil {
		t.Fatal(err)
	}
	f := func(sql string, code fault.Code, retry bool) {
		t.Helper()
		_, err := pool.Exec(t.Context(), sql)
		got := fault.Of(store.Fault(fmt.Errorf("do: %w", err)))
		if err == nil || got.Code != code || (got.RetryAfter > 0) != retry {
			t.Errorf("%s: %v, want %s, to be tried again: %v", sql, got, code, retry)
		}
		for _, secret := range []string{"parent", "secret", "select", "insert", "SQLSTATE"} {
			if strings.Contains(got.Message, secret) {
				t.Errorf("%s: the message %q shows %q", sql, got.Message, secret)
			}
		}
		if !errors.Is(got, err) {
			t.Errorf("%s: the cause is lost", sql)
		}
	}
	f(`insert into parent values (1, 'secret')`, fault.Invalid, false)
	f(`insert into parent values (1, 'again')`, fault.Conflict, false)
	f(`insert into parent values (2, null)`, fault.Invalid, false)
	f(`insert into parent values (2, 'two', -1)`, fault.Invalid, false)
	f(`insert into parent values (2, 'two', 1000000)`, fault.Invalid, false)
	f(`insert into child values (77)`, fault.NotFound, false)
	f(`select 'secret'::int`, fault.Invalid, false)
	f(`select 'secret'::timestamptz`, fault.Invalid, false)
	f(`select convert_from('\xff', 'UTF8')`, fault.Invalid, false)
	f(`do $$ begin raise 'secret' using errcode = '40001'; end $$`, fault.Unavailable, true)
	f(`do $$ begin raise 'secret' using errcode = '40P01'; end $$`, fault.Unavailable, true)
	f(`do $$ begin raise 'secret' using errcode = '55P03'; end $$`, fault.Unavailable, true)
	f(`do $$ begin raise 'secret' using errcode = '53100'; end $$`, fault.Unavailable, true)
	f(`do $$ begin raise 'secret' using errcode = '25006'; end $$`, fault.Unavailable, true)
	f(`begin; set local statement_timeout = 1; select pg_sleep(9)`, fault.Unavailable, true)
	f(`select pg_terminate_backend(pg_backend_pid())`, fault.Unavailable, true)
	f(`select 1/0`, fault.Internal, false)
	f(`secret`, fault.Internal, false)
}

func TestFaultLeavesOtherErrorsAlone(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		nil, errors.New("other"), pgx.ErrNoRows, context.Canceled, fault.New(fault.Forbidden, "no"),
		fmt.Errorf("wrapped: %w", fault.New(fault.Forbidden, "no")),
	} {
		if got := store.Fault(err); got != err { //nolint:errorlint // the very same error
			t.Errorf("%v becomes %v", err, got)
		}
	}
}

func TestIsConnectionMeansAnUnknownOutcomeOrNoServer(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	_, refused := pgx.Connect(t.Context(), "postgres://127.0.0.1:1/x?connect_timeout=1")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, outlived := pool.Exec(ctx, `select pg_sleep(9)`)
	_, terminated := pool.Exec(t.Context(), `select pg_terminate_backend(pg_backend_pid())`)
	_, closed := closedPool(t)
	_, unused := closedConn(t)
	for name, err := range map[string]error{
		"a refused connection":         refused,
		"a context that ended":         outlived,
		"a terminated backend":         terminated,
		"a closed pool":                closed,
		"a closed connection":          unused,
		"the end of the stream":        fmt.Errorf("read: %w", io.ErrUnexpectedEOF),
		"a reset connection":           &net.OpError{Op: "read", Err: errors.New("reset")},
		"a commit of unknown outcome":  &pgconn.PgError{Code: "40003"},
		"a server that is starting":    &pgconn.PgError{Code: "57P03"},
		"a connection exception":       &pgconn.PgError{Code: "08006"},
		"an idle transaction's end":    &pgconn.PgError{Code: "25P03"},
		"a context canceled meanwhile": context.Canceled,
	} {
		if !store.IsConnection(err) {
			t.Errorf("%s: %v is not seen as a connection's failure", name, err)
		}
	}
	for _, err := range []error{
		nil, errors.New("other"), pgx.ErrNoRows,
		&pgconn.PgError{Code: "23505"}, &pgconn.PgError{Code: "57014"}, &pgconn.PgError{Code: "53100"},
	} {
		if store.IsConnection(err) {
			t.Errorf("%v is seen as a connection's failure", err)
		}
	}
}

func closedPool(t *testing.T) (pgconn.CommandTag, error) {
	t.Helper()
	pool, err := store.Open(t.Context(), testdb.URL(t), store.PoolConfig{})
	if err != nil {
		t.Fatal(err)
	}
	pool.Close()
	return pool.Exec(t.Context(), `select 1`)
}

func closedConn(t *testing.T) (pgconn.CommandTag, error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), testdb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return conn.Exec(t.Context(), `select 1`)
}

func TestRowWithoutPartitionIsToldFromAViolatedCheck(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	_, err := pool.Exec(t.Context(), `
		create table parted (at date check (at > '1900-01-01')) partition by range (at);
		create table parted_2026 partition of parted for values from ('2026-01-01') to ('2027-01-01')`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `insert into parted values ('2026-06-01')`); err != nil || store.IsNoPartition(err) {
		t.Errorf("a row with a partition: %v", err)
	}
	_, err = pool.Exec(t.Context(), `insert into parted values ('2027-06-01')`)
	if !store.IsNoPartition(err) || !fault.Is(store.Fault(err), fault.Unavailable) {
		t.Errorf("a row without a partition: %v", err)
	}
	_, err = pool.Exec(t.Context(), `insert into parted_2026 values ('1800-06-01')`)
	if err == nil || store.IsNoPartition(err) {
		t.Errorf("a row that violates a check: %v", err)
	}
}
