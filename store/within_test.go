package store_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func TestWithinIsTheTransactionOfTheEntitiesAndCannotEndIt(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	client := store.Client(pool)
	t.Cleanup(func() { _ = client.Close() })
	tx, err := client.Tx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	err = store.Within(t.Context(), tx, func(p pgx.Tx) error {
		if _, err := p.Exec(t.Context(), `create table beside (id int)`); err != nil {
			t.Error(err)
		}
		if p.Commit(t.Context()) == nil || p.Rollback(t.Context()) == nil {
			t.Error("it has ended the transaction of the entities")
		}
		if _, err := p.Begin(t.Context()); err == nil {
			t.Error("it has begun a transaction within that of the entities")
		}
		return refused
	})
	if err != refused { //nolint:errorlint // it is returned as it is
		t.Errorf("what it returns is %v, want the function's own error", err)
	}
	rows, err := tx.QueryContext(t.Context(), `select count(*) from beside`) // the connection is in order
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(rows.Close(), tx.Rollback()); err != nil {
		t.Fatal(err)
	}
	var left bool
	if err := pool.QueryRow(t.Context(), `select to_regclass('beside') is not null`).Scan(&left); err != nil || left {
		t.Errorf("the table is left after the rollback: %t (%v)", left, err)
	}
}
