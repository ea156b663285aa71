package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// emptyPiece is how many entries EmptyJournal removes in one statement.
const emptyPiece = 2000

// EmptyJournal removes all entries of a project's journal, the oldest first, a bounded number at a time, so that neither
// a statement nor a lock lasts long. Entries that are appended meanwhile may stay. It is for a project that is about to
// go: offsets are not dense any more.
func EmptyJournal(ctx context.Context, pool *pgxpool.Pool, project int64) error {
	for {
		tag, err := pool.Exec(ctx, `delete from journal where project_id = $1 and "offset" in (
			select "offset" from journal where project_id = $1 order by "offset" limit $2)`, project, emptyPiece)
		if err != nil {
			return fmt.Errorf("empty the journal of project %d: %w", project, Fault(err))
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
	}
}
