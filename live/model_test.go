package live_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
)

// model is a hub, and what each of its subscribers ought to see, as one would explain it.
type model struct {
	fixture
	head        int64          // the entries up to it were published
	known       map[int64]bool // series that were published, or had readings at the beginning
	subscribers []*follower
}

// follower is one subscription.
type follower struct {
	*live.Subscription
	place  int64          // what concerns it up to here it has had
	narrow bool           // not everything concerns it
	not    map[int64]bool // then: the series that do not
	idle   bool           // there was nothing for it when it last asked
}

func (m *model) concerns(f *follower, e journal.Entry) bool {
	return !f.narrow || slices.ContainsFunc(seriesOf(e), func(id int64) bool { return !f.not[id] })
}

func seriesOf(e journal.Entry) (series []int64) {
	for _, r := range e.Readings {
		series = append(series, r.Series)
	}
	for _, d := range e.Deletions {
		series = append(series, d.Series)
	}
	return series
}

// due returns the offset of the next entry for f; 0 when it has to wait.
func (m *model) due(f *follower) int64 {
	for _, e := range m.journal.entries {
		if e.Offset > f.place && e.Offset <= m.head && m.concerns(f, e) {
			return e.Offset
		}
	}
	return 0
}

// meet takes note of the series of an entry that is published.
func (m *model) meet(e journal.Entry) {
	for _, id := range seriesOf(e) {
		if m.known[id] {
			continue
		}
		m.known[id] = true
		for _, f := range m.subscribers {
			delete(f.not, id)
		}
	}
}

// check compares the places of the subscriptions.
func (m *model) check(t *rapid.T) {
	for i, f := range m.subscribers {
		place := f.Place()
		if due := m.due(f); due > 0 && place >= due || place < f.place {
			t.Fatalf("subscription %d is at place %d; it was at %d, and entry %d is due", i, place, f.place, due)
		}
		if want := max(m.head, f.place); f.idle && place != want {
			t.Fatalf("subscription %d has nothing to wait for and is at place %d, want %d", i, place, want)
		}
		f.place = place
	}
}

const modelSeries = 10

// Subscriptions that narrow and widen their interest, decline what is strange, lag behind, leave and come back with their
// place get the entries that concern them, each once and in order; and their place is never beyond one that they have not had.
func TestEachSubscriptionGetsWhatConcernsIt(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		anySeries := rapid.Int64Range(0, modelSeries)
		t.Repeat(map[string]func(*rapid.T){
			"": m.check,
			"commit": func(t *rapid.T) {
				m.journal.append(anyEntry.Draw(t, "entry"))
			},
			"publish": func(t *rapid.T) {
				if m.head == int64(len(m.journal.entries)) {
					m.journal.append(anyEntry.Draw(t, "entry"))
				}
				m.publish()
			},
			"subscribe": func(t *rapid.T) {
				if len(m.subscribers) == 4 {
					t.Skip("there are enough")
				}
				after := rapid.Int64Range(0, int64(len(m.journal.entries))).Draw(t, "after")
				m.subscribers = append(m.subscribers, &follower{Subscription: m.Subscribe(project, after), place: after})
			},
			"next": func(t *rapid.T) {
				f := m.any(t)
				due := m.due(f)
				f.idle = due == 0
				switch e, err := f.Next(ended); {
				case due == 0 && !errors.Is(err, context.Canceled):
					t.Fatalf("next entry: offset %d, %v; want none", e.Offset, err)
				case due > 0 && (err != nil || e.Offset != due):
					t.Fatalf("next entry: offset %d, %v; want %d", e.Offset, err, due)
				case due > 0:
					f.place = due
				}
			},
			"take": func(t *rapid.T) {
				f := m.any(t)
				due := m.due(f)
				if e, ok := f.Take(); ok {
					if e.Offset != due {
						t.Fatalf("took offset %d, want %d", e.Offset, due)
					}
					f.place = due
				}
			},
			"narrow": func(t *rapid.T) {
				f := m.any(t)
				concern := rapid.MapOf(anySeries, rapid.Bool()).Draw(t, "concern")
				if rapid.Bool().Draw(t, "all that is known") {
					for id := range m.known {
						if !concern[id] {
							concern[id] = false
						}
					}
				}
				m.narrow(t, f, concern)
			},
			"decline": func(t *rapid.T) {
				f := m.any(t)
				id := anySeries.Draw(t, "series")
				f.Decline(id)
				if f.narrow {
					f.not[id] = true
					f.idle = false
				}
			},
			"widen": func(t *rapid.T) {
				f := m.any(t)
				f.Widen()
				f.narrow, f.idle = false, false
			},
			"look up": func(t *rapid.T) {
				offset := rapid.Int64Range(0, int64(len(m.journal.entries))+1).Draw(t, "offset")
				if at, err := m.CommittedAt(ended, project, offset); err != nil || !at.Equal(m.journal.committedAt(offset)) {
					t.Fatalf("entry %d was committed at %v, %v; want %v", offset, at, err, m.journal.committedAt(offset))
				}
			},
			"close": func(t *rapid.T) {
				f := m.any(t)
				f.Close()
				m.subscribers = slices.DeleteFunc(m.subscribers, func(other *follower) bool { return other == f })
			},
		})
	})
}

// newModel returns one of a journal whose first entries are older than the hub.
func newModel(t *rapid.T) *model {
	m := &model{fixture: fixture{journal: &fakeJournal{}}, known: map[int64]bool{}}
	m.Hub = live.New(m.journal, live.Config{MaxEntries: rapid.IntRange(1, 5).Draw(t, "entries kept")})
	begin := journal.Beginning{Project: project}
	for range rapid.IntRange(0, 5).Draw(t, "entries before the beginning") {
		e := m.journal.append(anyEntry.Draw(t, "entry"))
		begin.After, begin.At = e.Offset, e.At
	}
	for _, id := range rapid.SliceOf(rapid.Int64Range(0, modelSeries)).Draw(t, "latest") {
		begin.Latest = append(begin.Latest, reading.Reading{Series: id})
		m.known[id] = true
	}
	m.Start(begin)
	m.head = begin.After
	return m
}

var anyEntry = rapid.Custom(func(t *rapid.T) (e journal.Entry) {
	series := rapid.SliceOfNDistinct(rapid.Int64Range(0, modelSeries), 1, 3, rapid.ID).Draw(t, "series")
	slices.Sort(series)
	deletes := rapid.IntRange(0, 4).Draw(t, "deletes") == 0
	for _, id := range series {
		if deletes {
			e.Deletions = append(e.Deletions, reading.DeleteAll(id))
		} else {
			e.Readings = append(e.Readings, reading.Reading{Series: id}, reading.Reading{Series: id, Time: 1})
		}
	}
	return e
})

func (m *model) any(t *rapid.T) *follower {
	if len(m.subscribers) == 0 {
		t.Skip("there is none")
	}
	return rapid.SampledFrom(m.subscribers).Draw(t, "subscription")
}

// publish publishes the next entry.
func (m *model) publish() {
	e := m.journal.entries[m.head]
	m.head = e.Offset
	strange := slices.ContainsFunc(seriesOf(e), func(id int64) bool { return !m.known[id] })
	m.meet(e)
	for _, f := range m.subscribers {
		f.idle = f.idle && !strange && (e.Offset <= f.place || !m.concerns(f, e))
	}
	m.Apply(e)
}

func (m *model) narrow(t *rapid.T, f *follower, concern map[int64]bool) {
	var want []int64
	for _, id := range slices.Sorted(maps.Keys(m.known)) {
		if _, ok := concern[id]; !ok {
			want = append(want, id)
		}
	}
	missing := f.Narrow(concern)
	if slices.Sort(missing); !slices.Equal(missing, want) {
		t.Fatalf("missing: %v, want %v", missing, want)
	}
	if len(missing) > 0 {
		return
	}
	f.narrow, f.idle, f.not = true, false, map[int64]bool{}
	for id := range m.known {
		f.not[id] = !concern[id]
	}
}
