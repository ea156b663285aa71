package job

import (
	"context"
	"log/slog"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// quiet passes on what River warns of; its other lines are about its own machinery.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// reporter logs tries that have failed.
type reporter struct{ log *slog.Logger }

// HandleError logs an error; the job is tried again while it has tries left.
func (r reporter) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	r.log.WarnContext(ctx, "a job has failed", "kind", job.Kind, "job", job.ID, "try", job.Attempt, "of", job.MaxAttempts, "error", err)
	return nil
}

// HandlePanic logs a panic with its trace, which is of interest to who can mend it.
func (r reporter) HandlePanic(ctx context.Context, job *rivertype.JobRow, panicked any, trace string) *river.ErrorHandlerResult {
	r.log.ErrorContext(ctx, "a job has panicked", "kind", job.Kind, "job", job.ID, "try", job.Attempt, "of", job.MaxAttempts,
		"panic", panicked, "trace", trace)
	return nil
}
