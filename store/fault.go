package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"github.com/readout-dev/readout/internal/fault"
)

// retrySoon is what a client is asked to wait when the same request may succeed later.
const retrySoon = time.Second

// Fault returns err as a *fault.Error where it is one that PostgreSQL or pgx reports and a client can understand:
// Conflict, NotFound and Invalid for what the caller sent, Unavailable with RetryAfter for a server that is away,
// overloaded or asked to do too much at once. Everything else, faults, nil and context.Canceled among it, comes back as
// it is. A message never holds SQL, a host or a value; the cause is kept for the log.
//
// A foreign key violation is NotFound, because the codes of PostgreSQL before 18 do not tell a missing parent from one
// that is still in use: who deletes a parent without a cascade must say Conflict itself.
func Fault(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg):
		return ofState(pg, err)
	case errors.Is(err, context.Canceled):
		return err
	case IsConnection(err):
		return away(err)
	}
	return err
}

// IsConnection reports whether err leaves the outcome of a statement unknown or says that the server is away: a lost or
// refused connection, a server that shuts down, or a context that ended while the answer was outstanding. Whoever sent
// a COMMIT and gets such an error must look whether it happened before sending it again.
func IsConnection(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return isAway(pg.Code) || pg.Code == "40003" // statement_completion_unknown
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) ||
		errors.As(err, &network) ||
		pgconn.SafeToRetry(err) || // the connection was closed before anything was sent
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, puddle.ErrClosedPool) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || // through ent
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// IsNoPartition reports whether err is the refusal of a row because its table has no partition for it. PostgreSQL gives
// it the code of a violated check, with the table's name and, unlike such a check, without a constraint's.
func IsNoPartition(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23514" && pg.TableName != "" && pg.ConstraintName == ""
}

// ofState translates by SQLSTATE; https://www.postgresql.org/docs/current/errcodes-appendix.html lists them.
func ofState(pg *pgconn.PgError, err error) error {
	switch pg.Code {
	case "23505", "23P01": // unique_violation, exclusion_violation
		return fault.Wrap(err, fault.Conflict, "it exists already")
	case "23001": // restrict_violation
		return fault.Wrap(err, fault.Conflict, "it is still in use")
	case "23503": // foreign_key_violation
		return fault.Wrap(err, fault.NotFound, "what this refers to does not exist")
	case "23502": // not_null_violation
		return fault.Wrap(err, fault.Invalid, "a value is missing")
	case "23514": // check_violation
		if IsNoPartition(err) {
			return fault.Wrap(err, fault.Unavailable, "the storage for this time is not ready yet").After(retrySoon)
		}
		return fault.Wrap(err, fault.Invalid, "a value is not allowed")
	case "22021", "22P05": // character_not_in_repertoire (a NUL, broken UTF-8), untranslatable_character
		return fault.Wrap(err, fault.Invalid, "a text holds characters that cannot be stored")
	case "22001": // string_data_right_truncation
		return fault.Wrap(err, fault.Invalid, "a text is too long")
	case "22003", "22007", "22008", "22P02", "22P03": // out of range, datetime, text and binary representation
		return fault.Wrap(err, fault.Invalid, "a value is out of range or not of its type")
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return fault.Wrap(err, fault.Unavailable, "the database is busy with the same data").After(retrySoon)
	case "57014": // query_canceled: statement_timeout, or an administrator
		return fault.Wrap(err, fault.Unavailable, "the database took too long").After(retrySoon)
	case "25006": // read_only_sql_transaction: a standby, during a failover
		return fault.Wrap(err, fault.Unavailable, "the database takes no writes at the moment").After(retrySoon)
	}
	if isAway(pg.Code) || strings.HasPrefix(pg.Code, "53") { // insufficient_resources: disk, memory, connections
		return away(err)
	}
	return err
}

// isAway reports the states after which the session is gone: connection exceptions, shutdowns, and the timeouts that
// end a session.
func isAway(code string) bool {
	switch code {
	case "57P01", "57P02", "57P03", "57P05", "25P03":
		return true
	}
	return strings.HasPrefix(code, "08")
}

func away(err error) error {
	return fault.Wrap(err, fault.Unavailable, "the database is away").After(retrySoon)
}

// isLockTimeout reports whether err says that lock_timeout ran out; nothing was changed.
func isLockTimeout(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "55P03"
}
