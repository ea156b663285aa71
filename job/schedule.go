package job

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// How often a job is tried, and how long its row stays. The wait grows with the fourth power of the tries: ten of them take
// four hours in all.
const (
	tries         = 10
	keepDone      = time.Hour // an hour more, at most: rows are thrown away in each hour
	keepCancelled = 24 * time.Hour
	keepFailed    = 7 * 24 * time.Hour // an operator may want to know why
)

// withDefaults fills in what cfg leaves open.
func (cfg Config) withDefaults() Config {
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	cfg.Workers = cmp.Or(cfg.Workers, 2)
	cfg.Timeout = cmp.Or(cfg.Timeout, time.Minute)
	cfg.Drain = cmp.Or(cfg.Drain, 10*time.Second)
	cfg.Poll = cmp.Or(cfg.Poll, time.Minute)
	return cfg
}

// worker is River as it does jobs: it hears of new ones by LISTEN, on a connection of its own beside the pool, and looks for
// them once in a while besides. It never leads: see keeper.
func (cfg Config) worker(workers *river.Workers, m *metrics) *river.Config {
	c := cfg.common(workers)
	c.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: cfg.Workers}}
	c.LeaderElectionDisabled = true
	c.FetchPollInterval = cfg.Poll
	c.FetchCooldown = min(cfg.Poll, river.FetchCooldownDefault)
	c.ErrorHandler = reporter{cfg.Log}
	c.Middleware = []rivertype.Middleware{river.WorkerMiddlewareFunc(m.count)}
	return c
}

// leader is River as it stands for election, for which it must have a queue. It listens to nothing, which would take one
// more connection.
func (cfg Config) leader(workers *river.Workers) *river.Config {
	c := cfg.common(workers)
	c.Queues = map[string]river.QueueConfig{"nothing": {MaxWorkers: 1}}
	c.FetchPollInterval = time.Hour
	c.PollOnly = true
	// Whose process was killed is tried again after this: beyond it no job of a living process runs.
	c.RescueStuckJobsAfter = cfg.Timeout + time.Minute
	c.CompletedJobRetentionPeriod = keepDone
	for _, p := range cfg.Every {
		// What is done keeps another replica from adding it again in the same period.
		c.CompletedJobRetentionPeriod = max(c.CompletedJobRetentionPeriod, p.Every)
	}
	c.CancelledJobRetentionPeriod = keepCancelled
	c.DiscardedJobRetentionPeriod = keepFailed
	c.ReindexerIndexNames = []string{} // indexes of a few thousand rows stay small by themselves
	return c
}

func (cfg Config) common(workers *river.Workers) *river.Config {
	return &river.Config{
		Workers:     workers,
		MaxAttempts: tries,
		JobTimeout:  cfg.Timeout,
		Logger:      quiet(cfg.Log),
		Hooks:       []rivertype.Hook{river.HookInsertBeginFunc(refuseLarge)},
	}
}
