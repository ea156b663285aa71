package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// FindFlush looks up what became of a lost append. It returns the entries of flush that are committed in the journals
// of projects, each looked for behind the offset after[i], and whether that is settled: settled means that the backend
// of the append (LostAppend.Backend) is gone, so that what was not found is not there and will never be. While it is
// not settled, ask again.
//
// A backend's number may be given to a new session, which only delays the settlement. A proxy that hands out sessions
// of its own (PgBouncer) hides the number and makes the settlement a guess; connect to the server itself. Errors are
// PostgreSQL's own; see Fault.
func FindFlush(
	ctx context.Context, pool *pgxpool.Pool, flush uuid.UUID, backend uint32, projects, after []int64,
) (placed []Placed, settled bool, err error) {
	// In this order and in two statements: the second one's snapshot is younger than the end of the backend.
	const gone = `select not exists (select from pg_stat_activity where pid = $1)`
	if err := pool.QueryRow(ctx, gone, int32(backend)).Scan(&settled); err != nil {
		return nil, false, fmt.Errorf("look for the backend of an append: %w", err)
	}
	const find = `
		select j.project_id, j."offset", j.at
		from unnest($2::bigint[], $3::bigint[]) as p (project_id, after),
			lateral (select * from journal where project_id = p.project_id and "offset" > p.after and flush_id = $1) j`
	rows, err := pool.Query(ctx, find, [16]byte(flush), projects, after)
	if err != nil {
		return nil, false, fmt.Errorf("look for a flush in the journal: %w", err)
	}
	placed, err = pgx.CollectRows(rows, scanPlaced)
	if err != nil {
		return nil, false, fmt.Errorf("look for a flush in the journal: %w", err)
	}
	return placed, settled, nil
}
