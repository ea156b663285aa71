package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// MakeJournalDay makes the journal's partition of a day, however long ago.
func MakeJournalDay(ctx context.Context, pool *pgxpool.Pool, day time.Time) error {
	return makeMissing(ctx, pool, []partition{journalDay(day)})
}

// DetachDay goes the first step of dropping the journal's partition of a day; a crash may come then.
func DetachDay(ctx context.Context, conn *pgx.Conn, day time.Time) error {
	return journalDay(day).detach(ctx, conn)
}

// DropIf drops those partitions of chunk, or of the journal, that expired says.
func DropIf(ctx context.Context, pool *pgxpool.Pool, parent string, expired func(name string) bool) ([]string, error) {
	drop := partition.dropAtOnce
	if parent == "journal" {
		drop = partition.dropInSteps
	}
	return dropPartitions(ctx, pool, parent, func(_ context.Context, _ querier, p partition) (bool, error) {
		return expired(p.name), nil
	}, drop)
}

// DeletePiece is how many rows one statement deletes.
const DeletePiece = deletePiece
