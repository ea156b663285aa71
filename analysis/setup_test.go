package analysis_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/tail"
)

const (
	second = int64(1_000_000)
	hour   = 3600 * second
	day    = 24 * hour
)

// process is what a server has of the readings.
type process struct {
	journal  *journal.Journal
	follower *journal.Follower
	reader   *history.Reader
	stop     func()
}

// start runs a process on the database of pool until it is stopped or the test ends.
func start(t testing.TB, pool *pgxpool.Pool, cfg history.Config) *process {
	t.Helper()
	held := tail.New()
	p := &process{follower: journal.NewFollower(pool, held)}
	p.journal = journal.New(pool, p.follower, held.LatestTime, journal.Config{})
	p.reader = history.New(pool, held, p.follower, cfg)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- p.journal.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(p.stop)
	return p
}

func newProject(t testing.TB, pool *pgxpool.Pool) (id int64) {
	t.Helper()
	if err := pool.QueryRow(context.Background(), `insert into projects (name) values ('test') returning id`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}
