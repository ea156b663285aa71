package migrations

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Jobs makes the tables of River, which package job works with, as of version 8 of River's own history: river_job,
// river_leader, river_queue, river_notification and river_migration. A newer version of theirs is a new step.
//
// It takes several transactions, since PostgreSQL before 17 must have committed an enum's value before a function may name it;
// river_migration knows what is done, so that one that was cut off goes on where it was.
func Jobs(ctx context.Context, pool *pgxpool.Pool) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read the migrations of jobs: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: 8}); err != nil {
		return fmt.Errorf("make the tables of jobs: %w", err)
	}
	return nil
}
