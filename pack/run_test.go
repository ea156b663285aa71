package pack_test

import (
	"cmp"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

// running is a Packer that runs until the test ends, and what it tells.
type running struct {
	*site
	packed chan [2]int64 // project, upto
}

func newRunning(t *testing.T, pool *pgxpool.Pool, cfg pack.Config) *running {
	t.Helper()
	r := &running{packed: make(chan [2]int64, 100)}
	cfg.StartPause = cmp.Or(cfg.StartPause, time.Nanosecond)
	cfg.Packed = func(project, upto int64) { r.packed <- [2]int64{project, upto} }
	r.site = newSite(t, pool, cfg)
	return r
}

// start begins to run.
func (r *running) start() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	var done sync.WaitGroup
	done.Go(func() {
		if err := r.Run(ctx); err != nil {
			r.t.Errorf("run: %v", err)
		}
	})
	r.t.Cleanup(func() {
		cancel()
		done.Wait()
	})
}

// follow tells the packer of the last entry, as a follower does.
func (r *running) follow() {
	n := len(r.entries)
	r.Apply(journal.Entry{Project: r.project, Offset: int64(n), At: time.Now(), Readings: r.entries[n-1].readings})
}

// want waits until the project is packed up to an offset.
func (r *running) want(project, upto int64) {
	r.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case got := <-r.packed:
			if got == [2]int64{project, upto} {
				return
			}
		case <-deadline:
			r.t.Fatalf("project %d was never packed up to %d", project, upto)
		}
	}
}

func TestRunPacksWhatWasLeftBehind(t *testing.T) {
	t.Parallel()
	r := newRunning(t, testdb.New(t), pack.Config{})
	r.append(every(time.Minute, 4, "2026-01-05 10:00:00", 5, number)...)
	r.start()
	r.want(r.project, 1)
	r.check()
}

func TestRunWaitsAtFirst(t *testing.T) {
	t.Parallel()
	const pause = 100 * time.Millisecond
	r := newRunning(t, testdb.New(t), pack.Config{MaxUnpacked: 1, StartPause: pause})
	r.append(every(time.Minute, 4, "2026-01-05 10:00:00", 5, number)...)
	r.follow()
	began := time.Now()
	r.start()
	r.want(r.project, 1)
	if waited := time.Since(began); waited < pause {
		t.Errorf("it packed after %v", waited)
	}
}

func TestRunPacksWhatHasWaitedForLong(t *testing.T) {
	t.Parallel()
	r := newRunning(t, testdb.New(t), pack.Config{Every: 20 * time.Millisecond})
	r.start()
	for i := range int64(3) {
		r.append(every(time.Minute, 4+i, "2026-01-05 10:00:00", 5, number)...)
		r.follow()
		r.want(r.project, i+1)
	}
}

func TestRunPacksAtOnceWhenTooMuchWaits(t *testing.T) {
	t.Parallel()
	r := newRunning(t, testdb.New(t), pack.Config{Every: time.Hour, MaxUnpacked: 8})
	r.append(every(time.Minute, 4, "2026-01-05 09:00:00", 5, number)...)
	r.start()
	r.want(r.project, 1) // what was left behind: nothing more is looked for
	r.append(every(time.Minute, 4, "2026-01-05 10:00:00", 5, number)...)
	r.follow()
	r.append(every(time.Minute, 4, "2026-01-05 11:00:00", 5, number)...)
	r.follow()
	r.want(r.project, 3)
}

func TestRunGoesOnBesideAProjectThatFails(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	bad := newSite(t, pool, pack.Config{})
	bad.append(every(time.Minute, 4, "2026-01-05 10:00:00", 5, number)...)
	if _, err := pool.Exec(t.Context(), `update journal set kind = 9 where project_id = $1`, bad.project); err != nil {
		t.Fatal(err)
	}
	r := newRunning(t, pool, pack.Config{})
	r.append(every(time.Minute, 4, "2026-01-05 10:00:00", 5, number)...)
	r.start()
	r.want(r.project, 1)
}

func TestRunSettlesWhatCameLate(t *testing.T) {
	t.Parallel()
	r := newRunning(t, testdb.New(t), pack.Config{Every: time.Millisecond, SettleLate: time.Millisecond})
	r.start()
	r.append(every(time.Second, 4, "2026-01-05 10:00:00", 600, number)...)
	r.follow()
	r.want(r.project, 1)
	for deadline := time.Now().Add(20 * time.Second); len(r.chunks()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("late readings were never settled")
		}
	}
	r.check()
}

func TestRunAsksNothingWhenNothingHappens(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	a := new(axe)
	r := newRunning(t, testdb.Open(t, url), pack.Config{})
	packer := pack.New(tracedPool(t, url, a), pack.Config{Every: 10 * time.Millisecond, Packed: func(project, upto int64) {
		r.packed <- [2]int64{project, upto}
	}})
	r.Packer = packer
	r.append(reading.Reading{Series: 4, Time: at("2026-01-05 10:00:00"), Value: 1})
	r.start()
	r.follow()
	r.want(r.project, 1)
	quiet := func() bool { // for many times Every
		before := a.sent.Load()
		time.Sleep(100 * time.Millisecond)
		return a.sent.Load() == before
	}
	for deadline := time.Now().Add(20 * time.Second); !quiet(); {
		if time.Now().After(deadline) {
			t.Fatal("an idle packer goes on asking the database")
		}
	}
}
