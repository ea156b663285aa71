package graph_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/graph"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/reading"
)

// whenLookedUp has something happen before each look at the series.
func (w *world) whenLookedUp(happens func(context.Context) error) {
	w.client.Series.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			if err := happens(ctx); err != nil {
				return nil, err
			}
			return next.Query(ctx, q)
		})
	}))
}

func TestSlowLookUpIsNotCutOffByThoseWhoJoin(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.shared(graph.ReadingArguments{})
	l.nothing()
	strange := w.warm("strange")
	w.whenLookedUp(func(ctx context.Context) error {
		select {
		case <-time.After(100 * time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	w.send(strange, 1)
	pull := func() (*gql.ReadingEvent, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		e, _, err := l.stream.Next(ctx)
		return e, err
	}
	for range 100 {
		if e, err := pull(); err == nil {
			if told(e) != "1" {
				t.Errorf("got %s", told(e))
			}
			return
		}
	}
	t.Error("the look-up never ended")
}

func TestFilterIsAskedOnceASecondAtMost(t *testing.T) {
	t.Parallel()
	w := setup(t)
	l := w.shared(graph.ReadingArguments{})
	l.nothing()
	var looked atomic.Int64
	w.whenLookedUp(func(context.Context) error {
		looked.Add(1)
		return nil
	})
	for range 5 {
		w.graph.Refilter(w.ours.project)
		l.nothing()
	}
	if got := looked.Load(); got != 1 {
		t.Errorf("looked %d times", got)
	}
	for began := time.Now(); looked.Load() < 2; {
		if l.nothing(); time.Since(began) > 10*time.Second {
			t.Fatal("what changed within the second was not looked at")
		}
	}
}

func TestSeriesThatBeginsToMatchIsJudgedByWhatItHad(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]transport.Part{"shared": {Shared: true}, "history": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			system := auth.NewContext(t.Context(), auth.System())
			other, room := w.more("pressure", nil), "kettle"
			where := db.SeriesWhereInput{Unit: &room}
			w.send(other, 10)
			from := base
			l := w.open(where, graph.ReadingArguments{From: &from}, part)
			if part.Shared {
				l.nothing()
			} else if e, _ := l.next(); !e.CaughtUp {
				t.Fatalf("got %s", told(e))
			}
			w.client.Series.UpdateOneID(other).SetUnit(room).ExecX(system)
			w.graph.Refilter(w.ours.project)
			if part.Shared {
				l.nothing()
			}
			f := func(second int, want string) {
				t.Helper()
				l.stream.Until(w.send(other, second).Offset)
				if e, _ := l.next(); told(e) != want {
					t.Errorf("got %s, want %s", told(e), want)
				}
			}
			f(5, "late 5")
			f(11, "11")
		})
	}
}

func TestSeriesWithoutHistoryIsJudgedByWhatItHadBefore(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 10)
	from := base.Add(20 * time.Second)
	l := w.open(temperature(), graph.ReadingArguments{From: &from}, transport.Part{})
	if e, _ := l.next(); !e.CaughtUp {
		t.Fatalf("got %s", told(e))
	}
	l.stream.Until(w.send(w.ours.series, 5, 11).Offset)
	if e, _ := l.next(); told(e) != "late 5, 11" {
		t.Errorf("got %s", told(e))
	}
}

func TestHistoryWaitsUntilThereIsRoomForIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, rangeOf(0, 1500)...)
	from := base
	if !w.graph.TakeHistories(graph.MaxHistories) {
		t.Fatal("there is history that nobody has asked for")
	}
	ctx, cancel := context.WithTimeout(auth.NewContext(t.Context(), auth.Reader(w.ours.project)), 100*time.Millisecond)
	defer cancel()
	if _, err := w.graph.OpenReadings(ctx, w.ours.project, temperature(), graph.ReadingArguments{From: &from}, transport.Part{}); err == nil || ctx.Err() == nil {
		t.Errorf("got %v", err)
	}
	w.graph.LeaveHistories(graph.MaxHistories)
	l := w.open(temperature(), graph.ReadingArguments{From: &from}, transport.Part{})
	held := func(n int64) {
		t.Helper()
		free := graph.MaxHistories - n
		if w.graph.TakeHistories(free + 1) {
			t.Errorf("less than %d are held", n)
		}
		if !w.graph.TakeHistories(free) {
			t.Errorf("more than %d are held", n)
			return
		}
		w.graph.LeaveHistories(free)
	}
	held(1500)
	l.next()
	held(1500)
	l.next()
	held(0)
	l = w.open(temperature(), graph.ReadingArguments{From: &from}, transport.Part{})
	held(1500)
	l.stream.Close()
	held(0)
}

func TestWhoComesBackHearsNothingOfTheEndOfOthers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	dry := w.more("humidity", nil)
	place := w.send(dry, 1).Offset
	w.send(dry, 2)
	w.deleteAll(reading.DeleteAll(dry))
	l := w.open(temperature(), graph.ReadingArguments{}, transport.Part{Behind: true, Place: place})
	l.ends()
}

// planned has something happen when a subscription is planned.
type planned struct {
	graph.Follower
	happens func()
}

func (p *planned) Follow(ctx context.Context, project int64) error {
	defer func() { p.happens(); p.happens = func() {} }()
	return p.Follower.Follow(ctx, project)
}

func TestSubscriptionStaysInTheProjectThatItWasPlannedFor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.graph.Journal = &planned{w.graph.Journal, func() {
		w.client.Member.Create().SetProjectID(w.theirs.project).SetUserID(w.users["viewer"]).SetRole(member.RoleVIEWER).
			ExecX(auth.NewContext(t.Context(), auth.System()))
	}}
	w.send(w.ours.series, 1)
	s := w.subscribe("viewer", `series: {}, from: "2026-11-01T00:00:00Z"`)
	if e := s.next(); len(e.values()) != 1 {
		t.Errorf("got %+v", e)
	}
}
