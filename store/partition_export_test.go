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

// DetachMonth goes the first step of dropping chunk's partition of a month; a crash may come then.
func DetachMonth(ctx context.Context, conn *pgx.Conn, month time.Time) error {
	return chunkMonth(month).detach(ctx, conn)
}

// DetachDay is DetachMonth of the journal's partition of a day.
func DetachDay(ctx context.Context, conn *pgx.Conn, day time.Time) error {
	return journalDay(day).detach(ctx, conn)
}

// DropIf drops those partitions of chunk that expired says.
func DropIf(ctx context.Context, pool *pgxpool.Pool, expired func(name string) bool) ([]string, error) {
	return dropPartitions(ctx, pool, "chunk", func(_ context.Context, _ querier, p partition) (bool, error) {
		return expired(p.name), nil
	})
}

// DeletePiece is how many rows one statement deletes.
const DeletePiece = deletePiece
