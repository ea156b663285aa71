package pack_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/store"
)

// occupy takes the packing lock of a project, as another process does that hangs, until the returned function is called.
func occupy(t *testing.T, pool *pgxpool.Pool, project int64) (leave func()) {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := store.TryPacking(t.Context(), tx, project); !ok || err != nil {
		t.Fatalf("the lock is %v, %v", ok, err)
	}
	leave = func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }
	t.Cleanup(leave)
	return leave
}

// wantSettled waits until a project has chunks.
func (s *site) wantSettled(what string) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); len(s.chunks()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatal(what)
		}
	}
}

func TestRunSettlesTheOthersBesideAProjectThatIsOccupied(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	stuck := newSite(t, pool, pack.Config{})
	stuck.append(every(time.Second, 4, "2026-01-05 10:00:00", 600, number)...)
	stuck.pack()
	r := newRunning(t, pool, pack.Config{Every: time.Millisecond})
	r.append(every(time.Second, 4, "2026-01-05 10:00:00", 600, number)...)
	r.Packer = pack.New(pool, pack.Config{StartPause: time.Nanosecond, Every: time.Millisecond})
	r.pack()
	leave := occupy(t, pool, stuck.project)

	r.start()
	r.wantSettled("while another project is occupied nothing was settled")
	leave()
	stuck.wantSettled("the project was not settled once it was free")
	stuck.check()
}

func TestSettleWaitsWithoutKeepingOthersFromPacking(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	stuck := newSite(t, pool, pack.Config{Sizes: tiny})
	stuck.append(every(time.Minute, 4, "2026-01-05 10:00:00", 50, number)...)
	stuck.pack()
	other := newSite(t, pool, pack.Config{})
	other.Packer = stuck.Packer
	other.append(every(time.Minute, 4, "2026-01-05 10:00:00", 5, number)...)
	leave := occupy(t, pool, stuck.project)

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := stuck.Settle(ctx, stuck.project, clock("2026-01-06 02:00:00")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("settling a project that stays occupied: %v, want %v", err, context.DeadlineExceeded)
	}
	settled := make(chan error, 1)
	go func() { settled <- stuck.Settle(t.Context(), stuck.project, clock("2026-01-06 02:00:00")) }()
	for range 10 {
		other.append(every(time.Minute, 4, "2026-01-05 10:00:00", 5, number)...)
		other.pack()
	}
	other.check()
	select {
	case err := <-settled:
		t.Errorf("it settled a project that is occupied: %v", err)
	default:
	}
	leave()
	if err := <-settled; err != nil {
		t.Error(err)
	}
	stuck.wantShape(4, []int{10, 10, 10, 10, 10}, nil)
}

func TestPackLeavesMergingToTheNextTimeWhenTheProjectIsOccupied(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	observer := testdb.Open(t, url)
	merging := &before{sql: "select project_id, day, block from young"} // which looks for what is to be merged
	s := newSite(t, observer, pack.Config{})
	s.Packer = pack.New(tracedPool(t, url, merging), pack.Config{Sizes: tiny})
	fill := func() {
		s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 3, number)...)
		s.pack()
	}
	fill()
	fill()
	leave := func() {}
	merging.do = func() { leave = occupy(t, observer, s.project) }
	fill()
	s.wantShape(4, nil, []int{3, 3, 3})
	leave()
	fill()
	s.wantShape(4, nil, []int{3})
	s.check()
}

// A process that hangs must not keep its project for ever.
func TestPackingEndsWithATransactionThatIsIdleForLong(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t) + "&idle_in_transaction_session_timeout=200"
	observer := testdb.Open(t, url)
	frozen := &before{sql: "select coalesce(max("} // of the journal, with the lock taken
	s := newSite(t, observer, pack.Config{})
	s.Packer = pack.New(tracedPool(t, url, frozen), pack.Config{Sizes: tiny})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 5, number)...)
	frozen.do = func() {
		held := true
		for deadline := time.Now().Add(20 * time.Second); held && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			const locks = `select exists (select from pg_locks l join pg_database d on d.oid = l.database
				where d.datname = current_database() and locktype = 'advisory')`
			if err := observer.QueryRow(t.Context(), locks).Scan(&held); err != nil {
				t.Error(err)
				return
			}
		}
	}
	if err := s.tryPack(); err == nil {
		t.Error("it went on although it had been idle for long")
	}
	s.pack()
	s.check()
}
