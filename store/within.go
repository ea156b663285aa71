package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/ent/db"
)

// Within runs fn inside the transaction of the entities tx, with pgx on the same connection: what fn writes is committed
// and rolled back with the entities. fn may not end the transaction nor begin one within it, and may not keep what it is
// given; what it reads must be closed when it returns. It costs no statement. It returns fn's error as it is.
// For the goroutine that owns tx.
func Within(ctx context.Context, tx *db.Tx, fn func(pgx.Tx) error) error {
	b := &borrower{fn: fn}
	if _, err := tx.ExecContext(ctx, "", b); !b.called {
		return err
	}
	return b.err
}

// borrower gets at the connection under a transaction of database/sql, which has no other way to it than pgx's: a query
// may be rewritten by its first argument, which is shown the connection. The query itself is never sent.
type borrower struct {
	fn     func(pgx.Tx) error
	called bool
	err    error
}

var errBorrowed = errors.New("there is nothing to send")

// RewriteQuery is called while database/sql holds the connection for this transaction alone.
func (b *borrower) RewriteQuery(_ context.Context, conn *pgx.Conn, _ string, _ []any) (string, []any, error) {
	b.called = true
	b.err = b.fn(joined{conn})
	return "", nil, errBorrowed
}

// joined is a transaction that somebody else has begun and will end.
type joined struct{ connection }

// connection is an alias, so that the embedded field does not hide the method Conn.
type connection = *pgx.Conn

var errNotOurs = errors.New("this transaction belongs to the entities: who began it ends it")

func (joined) Begin(context.Context) (pgx.Tx, error) { return nil, errNotOurs }
func (joined) Commit(context.Context) error          { return errNotOurs }
func (joined) Rollback(context.Context) error        { return errNotOurs }
func (joined) LargeObjects() pgx.LargeObjects        { return pgx.LargeObjects{} }
func (j joined) Conn() *pgx.Conn                     { return j.connection }
