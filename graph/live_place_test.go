package graph

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
)

// aheadOf is a journal that another process has written to, of which this one is told late.
type aheadOf struct {
	asked int
	until time.Time
}

func (a *aheadOf) Read(_ context.Context, project, after int64, _ int) ([]journal.Entry, error) {
	return []journal.Entry{{Project: project, Offset: after + 1}}, nil
}

func (a *aheadOf) CommittedAt(_ context.Context, _, offset int64) (time.Time, error) {
	return time.UnixMicro(offset), nil
}

func (a *aheadOf) Follow(context.Context, int64) error { return nil }

func (a *aheadOf) Applied(int64) (int64, bool) {
	if a.asked++; time.Now().Before(a.until) && a.asked < 1000 {
		return 0, true
	}
	return 5, true
}

func TestWhoWaitsForAnEntryIsNotKeptBusyByChangedSeries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		other := &aheadOf{until: time.Now().Add(3 * time.Second)}
		hub := live.New(other, live.Config{})
		hub.Start(journal.Beginning{Project: 1})
		r := &Resolver{Hub: hub, Journal: other}
		s := &readingStream{Resolver: r, project: 1}
		s.place = r.placeAt(1, 5)
		defer s.Close()
		r.refilter(1)
		if err := s.reach(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		if other.asked > 5 {
			t.Errorf("asked %d times in three seconds", other.asked)
		}
	})
}

func TestSetCountsItsIDs(t *testing.T) {
	t.Parallel()
	s := idSet{}
	for _, id := range []int64{1, 2, 63, 64, 6400, 1 << 40, 1} {
		s.add(id)
	}
	if n := s.count(); n != 6 {
		t.Errorf("got %d", n)
	}
}
