package graph

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"pgregory.net/rapid"

	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
)

// fakeJournal is a live.Reader and a Follower of one project, whose hub has all of it.
type fakeJournal struct {
	entries []journal.Entry
	first   int64 // the first offset that was read
}

func (j *fakeJournal) Read(_ context.Context, _, after int64, limit int) ([]journal.Entry, error) {
	j.first = min(j.first, after+1)
	return j.entries[after:min(int(after)+limit, len(j.entries))], nil
}

func (j *fakeJournal) CommittedAt(_ context.Context, _, offset int64) (time.Time, error) {
	if offset < 1 || offset > int64(len(j.entries)) {
		return time.Time{}, nil
	}
	return j.entries[offset-1].At, nil
}

func (j *fakeJournal) Follow(_ context.Context, project int64) error {
	if project != 1 {
		return errors.New("away")
	}
	return nil
}

func (j *fakeJournal) Applied(project int64) (int64, bool) {
	return int64(len(j.entries)), project == 1
}

// Whatever is published before, between and while queries read, of whatever series: who waits is told if, and only if, it is
// of what was read and lies behind the place at which it was; and the database is not asked for what was read with it.
func TestWatchOfSeriesMissesNothingAndTellsNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		j := &fakeJournal{}
		hub := live.New(j, live.Config{MaxEntries: rapid.IntRange(1, 4).Draw(rt, "ring")})
		hub.Start(journal.Beginning{Project: 1})
		publish := func() {
			e := journal.Entry{Project: 1, Offset: int64(len(j.entries)) + 1}
			if series := rapid.Int64Range(1, 6).Draw(rt, "series"); rapid.Bool().Draw(rt, "deletes") {
				e.Deletions = []reading.Deletion{{Series: series, From: 1, To: 2}}
			} else {
				e.Readings = []reading.Reading{{Series: series, Time: 1}, {Series: series + 1, Time: 1}}
			}
			j.entries = append(j.entries, e)
			hub.Apply(e)
		}
		w := &watch{Resolver: &Resolver{Hub: hub, Journal: j}, changes: new(entity.Bus).Watch(entity.Interest{})}
		defer w.close()
		var read *reads
		var ids []int64
		execute := func() {
			read = &reads{journal: j}
			if rapid.IntRange(0, 2).Draw(rt, "others") == 0 {
				ids = rapid.SliceOfN(rapid.Int64Range(1, 7), 0, 3).Draw(rt, "read")
			}
			for _, id := range ids {
				noteSeries(read.within(t.Context()), 1, id)
				for range rapid.IntRange(0, 2).Draw(rt, "published meanwhile") {
					publish()
				}
			}
			w.after(read)
		}
		execute()
		rt.Repeat(map[string]func(*rapid.T){
			"publish": func(*rapid.T) { publish() },
			"execute": func(*rapid.T) { execute() },
			"wait": func(rt *rapid.T) {
				want := false
				if r := read.projects[1]; r != nil {
					for _, e := range j.entries[r.place:] {
						for _, d := range e.Deletions {
							want = want || r.series[d.Series]
						}
						for _, v := range e.Readings {
							want = want || r.series[v.Series]
						}
					}
				}
				j.first = math.MaxInt64
				ended, end := context.WithCancel(t.Context())
				end() // who waits takes what is there
				if got := w.wait(ended) == nil; got != want {
					rt.Fatalf("changed: got %v, want %v", got, want)
				}
				if r := read.projects[1]; r != nil && j.first <= r.place {
					rt.Fatalf("entry %d was asked for, read at %d", j.first, r.place)
				}
			},
		})
	})
}

func TestReadsAreNotedOneByOneUpToABound(t *testing.T) {
	t.Parallel()
	r := &reads{journal: &fakeJournal{}}
	ctx := r.within(t.Context())
	for id := range int64(maxNoted) {
		noteSeries(ctx, 1, id)
	}
	if n := len(r.projects[1].series); n != maxNoted {
		t.Errorf("%d noted", n)
	}
	noteSeries(ctx, 1, maxNoted)
	noteSeries(ctx, 1, 1)
	if r.projects[1].series != nil {
		t.Error("more than that are not taken for all")
	}
	if noteSeries(ctx, 2, 1); !r.lost || r.projects[2] != nil {
		t.Error("a project that cannot be followed is not told of")
	}
	noteSeries(t.Context(), 1, 1) // nobody asks
}

func TestEntitiesOfAQueryAreThoseThatItMayTellOf(t *testing.T) {
	t.Parallel()
	const always = entity.Project | entity.Device | entity.Series
	for query, want := range map[string]entity.Type{
		`{ latest(series: {}) { value } }`:                                                   always,
		`{ me { name } }`:                                                                    always | entity.User,
		`{ projects { edges { node { members { totalCount } } } } }`:                         always | entity.Member | entity.User,
		`{ projects { edges { node { keys { totalCount } } } } }`:                            always | entity.Key,
		`{ node(id: 1) { id } }`:                                                             entity.All,
		`{ ...F ...F } fragment F on Query { me { name } }`:                                  always | entity.User,
		`{ series { edges { node { device { project { keys { edges { cursor } } } } } } } }`: always | entity.Key,
	} {
		document, errs := gqlparser.LoadQueryWithRules(Schema(), query, nil)
		if len(errs) > 0 {
			t.Fatalf("%s: %v", query, errs)
		}
		if got := entitiesIn(document.Operations[0].SelectionSet); got != want {
			t.Errorf("%s: got %b, want %b", query, got, want)
		}
	}
}

func TestNoFilterButThatOfMembersLooksAtPeopleOrKeys(t *testing.T) {
	t.Parallel()
	for _, of := range []string{"Project", "Device", "Series", "Key", "User"} {
		for _, f := range Schema().Types[of+"WhereInput"].Fields {
			if other := strings.TrimSuffix(f.Type.Name(), "WhereInput"); other != of && strings.Contains("Member User Key", other) {
				t.Errorf("%sWhereInput.%s does: live queries that use it are to know", of, f.Name)
			}
		}
	}
}
