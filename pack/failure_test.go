package pack_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// axe counts the statements and copies of a pool, and ends the connection right before one of them.
type axe struct {
	killer *pgxpool.Pool
	sent   atomic.Int64
	fells  atomic.Int64 // the statement before which the connection is ended; 0 = none
}

func (a *axe) strike(ctx context.Context, conn *pgx.Conn) context.Context {
	if n := a.sent.Add(1); n == a.fells.Load() {
		_, _ = a.killer.Exec(context.WithoutCancel(ctx), `select pg_terminate_backend($1, 5000)`, int32(conn.PgConn().PID()))
	}
	return ctx
}

func (a *axe) TraceQueryStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return a.strike(ctx, conn)
}
func (*axe) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (a *axe) TraceCopyFromStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	return a.strike(ctx, conn)
}
func (*axe) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}

// tracedPool returns a pool on the database at url whose statements the tracer sees.
func tracedPool(t *testing.T, url string, tracer pgx.QueryTracer) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ConnConfig.Tracer = tracer
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// The connection is ended before each statement of a step in turn: then all is as of the last commit, what is packed as much as
// what says how far, and going on ends where it would have.
func TestAStepThatFailsAnywhereIsUndoneAsAWhole(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	observer := testdb.Open(t, url)
	a := &axe{killer: observer}
	s := newSite(t, observer, pack.Config{})
	s.Packer = pack.New(tracedPool(t, url, a), pack.Config{Sizes: tiny})

	minute := func(series int64, from string, n int) []reading.Reading {
		return every(time.Minute, series, from, n, number)
	}
	steps := []struct {
		name string
		fill func()
		do   func() error
	}{
		{"pack", func() {
			s.append(append(minute(4, "2026-01-05 10:00:00", 40), minute(1500, "2026-01-05 10:00:00", 4)...)...)
		}, s.tryPack},
		{"settle", func() {}, s.trySettle("2026-01-06 02:00:00")},
		{"pack what was deleted", func() {
			s.remove(reading.Deletion{Series: 4, From: at("2026-01-05 10:05:00"), To: at("2026-01-05 10:15:00")}, reading.DeleteAll(1500))
			s.append(append(minute(4, "2026-01-05 10:11:00", 3), minute(1500, "2026-01-05 10:09:00", 2)...)...)
		}, s.tryPack},
		{"settle what was late", func() {}, s.trySettle("2026-01-06 02:00:00")},
		{"close the month", func() {}, s.trySettle("2026-02-06 02:00:00")},
	}
	for _, step := range steps {
		step.fill()
		for n := int64(1); ; n++ {
			a.sent.Store(0)
			a.fells.Store(n)
			err := step.do()
			a.fells.Store(0)
			if err == nil && a.sent.Load() < n {
				t.Logf("%s takes %d statements", step.name, a.sent.Load())
				break
			}
			s.check()
			if t.Failed() {
				t.Fatalf("%s, ended before statement %d: %v", step.name, n, err)
			}
			if err == nil {
				break // it was past its commit
			}
		}
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		s.check()
	}
}

func (s *site) tryPack() error { return s.Pack(s.t.Context(), s.project) }

func (s *site) trySettle(now string) func() error {
	return func() error { return s.Settle(s.t.Context(), s.project, clock(now)) }
}

func TestOnlyOnePacksAProject(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 9, number)...)
	err := pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
		if ok, err := store.TryPacking(t.Context(), tx, s.project); !ok || err != nil {
			t.Errorf("the lock is %v, %v", ok, err)
		}
		s.pack()
		s.wantShape(4, nil, nil)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.pack()
	s.wantShape(4, nil, []int{9})
	s.check()
}

func TestManyWhoPackAndSettleAtOnceDoItOnce(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	other := pack.New(s.pool, pack.Config{Sizes: tiny})
	var packed atomic.Int64
	third := pack.New(s.pool, pack.Config{Sizes: tiny, Packed: func(_, upto int64) { packed.Store(upto) }})
	for round := range 10 {
		var all sync.WaitGroup
		for i := range 6 {
			s.append(every(time.Minute, int64(4+i%2), fmt.Sprintf("2026-01-05 %02d:%02d:00", round, i*7), 20, number)...)
		}
		for _, p := range []*pack.Packer{s.Packer, other, third} {
			all.Go(func() {
				if err := p.Pack(t.Context(), s.project); err != nil {
					t.Error(err)
				}
				if err := p.Settle(t.Context(), s.project, clock("2026-01-06 02:00:00")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s.check()
	}
	if err := third.Pack(t.Context(), s.project); err != nil || packed.Load() != int64(len(s.entries)) {
		t.Errorf("after %d entries it was told %d, %v", len(s.entries), packed.Load(), err)
	}
}

func TestAnEntryThatCannotBeReadStopsItsProject(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]string{
		"damaged":      `update journal set payload = overlay(payload placing '\xff'::bytea from 8) where project_id = $1 and "offset" = 2`,
		"of a kind":    `update journal set kind = 9 where project_id = $1 and "offset" = 2`,
		"miscounted":   `update journal set count = 3 where project_id = $1 and "offset" = 2`,
		"missing":      `delete from journal where project_id = $1 and "offset" = 2`,
		"last missing": `delete from journal where project_id = $1 and "offset" > 1`,
		"all missing":  `delete from journal where project_id = $1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup(t, pack.Config{})
			for i := range 3 {
				s.append(every(time.Minute, int64(4+i), "2026-01-05 10:00:00", 5, number)...)
			}
			if _, err := s.pool.Exec(t.Context(), spoil, s.project); err != nil {
				t.Fatal(err)
			}
			want, left := "entry 2", []int(nil)
			switch name {
			case "all missing":
				want = "entry 1"
			case "last missing":
				left = []int{5} // what comes before is packed
			}
			if err := s.tryPack(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one that names %s", err, want)
			}
			s.wantShape(4, nil, left)
		})
	}
}

func TestPackingAProjectThatDoesNotExistDoesNothing(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{})
	if err := s.Pack(t.Context(), 404); err != nil {
		t.Error(err)
	}
	if err := s.Settle(t.Context(), 404, time.Now()); err != nil {
		t.Error(err)
	}
}

func TestPackingWithoutADatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	observer := testdb.Open(t, url)
	a := &axe{killer: observer}
	s := newSite(t, observer, pack.Config{})
	s.Packer = pack.New(tracedPool(t, url, a), pack.Config{})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 5, number)...)
	a.fells.Store(3)
	if err := s.tryPack(); fault.Of(err).Code != fault.Unavailable {
		t.Errorf("error %v, want %s", err, fault.Unavailable)
	}
}
