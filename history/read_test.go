package history_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
)

// However many read, and however long it takes them, readings are stored.
func TestReadersLeaveConnectionsToWriters(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	p := start(t, pool, history.Config{})
	if err := p.follower.Follow(t.Context(), project); err != nil {
		t.Fatal(err)
	}
	blocked, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blocked.Exec(t.Context(), `lock table chunk in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 * pool.Config().MaxConns {
		readers.Go(func() { _, _ = p.reader.Range(ctx, project, 1, base, base+day) })
	}
	for pool.Stat().AcquiredConns() < 2 { // the transaction, and a reader
		time.Sleep(time.Millisecond)
	}
	for i := range int64(20) {
		soon, stop := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := p.journal.Append(soon, project, []reading.Reading{{Series: 1, Time: base + i, Value: 1}})
		stop()
		if err != nil {
			t.Fatalf("append beside readers that wait: %v", err)
		}
	}
	cancel()
	readers.Wait()
	_ = blocked.Rollback(t.Context())
}
