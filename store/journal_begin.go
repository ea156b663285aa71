package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/reading"
)

// JournalState says how far a project's journal is.
type JournalState struct {
	Head     int64             // offset of the last entry; 0 without one
	PackedTo int64             // the entries up to this offset are packed
	PackedAt time.Time         // when the entry at PackedTo was written, UTC; zero where the journal does not hold it
	Latest   []reading.Reading // the newest reading of each series that has one, as table latest has it
}

// BeginJournal returns the state of project's journal, all of it as of one moment. It is empty for a project that has no
// journal, because nothing was ever appended or because it does not exist. Errors are PostgreSQL's own; see Fault.
func BeginJournal(ctx context.Context, pool *pgxpool.Pool, project int64) (JournalState, error) {
	var s JournalState
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, pool, snapshot, func(tx pgx.Tx) error {
		row := tx.QueryRow(ctx, `select h.head, coalesce(p.packed_to, 0),
				(select at from journal where project_id = $1 and "offset" = p.packed_to)
			from journal_head h left join packing p using (project_id) where project_id = $1`, project)
		var packedAt *time.Time
		if err := row.Scan(&s.Head, &s.PackedTo, &packedAt); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if packedAt != nil {
			s.PackedAt = packedAt.UTC()
		}
		rows, err := tx.Query(ctx, `select series_id, "time", value from latest
			where project_id = $1 and "time" is not null`, project)
		if err != nil {
			return err
		}
		s.Latest, err = pgx.CollectRows(rows, scanReading)
		return err
	})
	if err != nil {
		return JournalState{}, fmt.Errorf("read the state of project %d: %w", project, err)
	}
	return s, nil
}

func scanReading(row pgx.CollectableRow) (r reading.Reading, err error) {
	var at time.Time
	err = row.Scan(&r.Series, &at, &r.Value)
	r.Time = at.UnixMicro()
	return r, err
}
