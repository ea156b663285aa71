package store

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"
)

// copyRows adds rows to a table by COPY in its binary format (https://www.postgresql.org/docs/current/sql-copy.html), in one
// round trip: pgx's own CopyFrom asks for the columns' types each time, and takes each value as an any. encode appends the
// row i, of which it must say what the columns are, in their order. statement is that of copyStatement.
func copyRows(ctx context.Context, tx pgx.Tx, statement string, rows int, encode func(t tuple, i int) tuple) error {
	const about = 72 << 10 // what pgconn sends at once, and a row
	r := &copyReader{rows: rows, encode: encode, ready: make([]byte, 0, about)}
	r.ready = append(r.ready, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	_, err := tx.Conn().PgConn().CopyFrom(ctx, r, statement)
	return err
}

func copyStatement(table string, columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	return `copy ` + pgx.Identifier{table}.Sanitize() + ` (` + strings.Join(quoted, ", ") + `) from stdin (format binary)`
}

// copyReader makes the bytes of rows when they are asked for.
type copyReader struct {
	rows, next int
	encode     func(t tuple, i int) tuple
	ready      []byte // made
	given      int    // of these, by the last call
}

func (r *copyReader) Read(p []byte) (int, error) {
	r.ready = r.ready[:copy(r.ready, r.ready[r.given:])]
	for len(r.ready) < len(p) && r.next <= r.rows {
		if r.next < r.rows {
			r.ready = r.encode(tuple(r.ready), r.next)
		} else {
			r.ready = binary.BigEndian.AppendUint16(r.ready, math.MaxUint16) // the end
		}
		r.next++
	}
	if len(r.ready) == 0 {
		return 0, io.EOF
	}
	r.given = copy(p, r.ready)
	return r.given, nil
}

// tuple is a row as COPY takes it: begun by columns, then one call for each of these.
type tuple []byte

// epoch is 2000-01-01 in µs since 1970, from which PostgreSQL counts.
const epoch = 946_684_800_000_000

func (t tuple) columns(n int) tuple { return binary.BigEndian.AppendUint16(t, uint16(n)) }

func (t tuple) smallint(v int16) tuple {
	return binary.BigEndian.AppendUint16(append(t, 0, 0, 0, 2), uint16(v))
}

func (t tuple) integer(v int) tuple {
	return binary.BigEndian.AppendUint32(append(t, 0, 0, 0, 4), uint32(v))
}

func (t tuple) bigint(v int64) tuple {
	return binary.BigEndian.AppendUint64(append(t, 0, 0, 0, 8), uint64(v))
}

func (t tuple) double(v float64) tuple { return t.bigint(int64(math.Float64bits(v))) }

// timestamp is a timestamptz, v in µs since 1970.
func (t tuple) timestamp(v int64) tuple { return t.bigint(v - epoch) }

func (t tuple) bytes(v []byte) tuple {
	return append(binary.BigEndian.AppendUint32(t, uint32(len(v))), v...)
}
