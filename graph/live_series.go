package graph

import (
	"context"
	"math"
	"math/bits"
	"slices"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
)

// matches are the series of a project that a filter matches and the rules show, as far as a stream has looked.
type matches struct {
	client *db.Client
	where  db.SeriesWhereInput // and the project
	found  map[int64]*followed
	order  []int64 // the ids of those found, ascending
	others idSet   // those that it has looked up, and does not match
	looked idSet   // both

	// recall returns the times (µs) of the newest readings that series had which begin to match, as far as it is known.
	// nil: they are judged by what comes.
	recall func(ctx context.Context, ids []int64) (map[int64]int64, error)
	gone   idSet // of the others, those that did not exist when they were looked up; nil: nobody asks
}

// followed is a series that matches.
type followed struct {
	series *db.Series // nil: it has ceased to match, or is gone
	newest int64      // the time (µs) of the newest reading that counts; see judge
}

// never is before all times: of the newest reading of who has none.
const never = math.MinInt64

func newMatches(client *db.Client, project int64, where db.SeriesWhereInput) *matches {
	where.AddPredicates(series.ProjectID(project))
	return &matches{client: client, where: where, found: map[int64]*followed{}, others: idSet{}, looked: idSet{}}
}

// load returns all series that match now, with their devices, in order of their ids.
func (m *matches) load(ctx context.Context) ([]*db.Series, error) {
	return m.ask(ctx, m.client.Series.Query())
}

func (m *matches) ask(ctx context.Context, q *db.SeriesQuery) ([]*db.Series, error) {
	q, err := m.where.Filter(q)
	if err != nil {
		return nil, err
	}
	return q.WithDevice().Order(series.ByID()).All(ctx)
}

// manySeries is how many series are rather asked about by loading all that match than one by one.
const manySeries = 1000

// learn looks series up that were not looked up yet, and returns those that do not match.
func (m *matches) learn(ctx context.Context, ids []int64) (others []int64, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	q := m.client.Series.Query()
	if len(ids) <= manySeries {
		q = q.Where(series.IDIn(ids...))
	}
	found, err := m.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := m.add(ctx, found); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if m.found[id] == nil {
			others = append(others, id)
		}
	}
	if err := m.miss(ctx, others); err != nil {
		return nil, err
	}
	for _, id := range others {
		m.pass(id)
	}
	return others, nil
}

// miss notes which of the series that do not match are gone, where somebody asks.
func (m *matches) miss(ctx context.Context, others []int64) error {
	if m.gone == nil {
		return nil
	}
	for some := range slices.Chunk(others, manySeries) {
		there, err := m.client.Series.Query().Where(series.IDIn(some...)).IDs(ctx)
		if err != nil {
			return err
		}
		slices.Sort(there)
		for _, id := range some {
			if _, ok := slices.BinarySearch(there, id); !ok {
				m.gone.add(id)
			}
		}
	}
	return nil
}

// add takes in series that match now.
func (m *matches) add(ctx context.Context, found []*db.Series) error {
	newest, err := m.recalled(ctx, found)
	if err != nil {
		return err
	}
	for _, s := range found {
		f := m.found[s.ID]
		if f == nil {
			f = m.follow(s.ID)
		}
		f.series = s
		if t, ok := newest[s.ID]; ok {
			f.newest = t
		}
	}
	return nil
}

// follow takes in a series that was not found until now.
func (m *matches) follow(id int64) *followed {
	f := &followed{newest: never}
	m.found[id] = f
	m.looked.add(id)
	at, _ := slices.BinarySearch(m.order, id)
	m.order = slices.Insert(m.order, at, id)
	return f
}

// pass takes note of a series that does not match.
func (m *matches) pass(id int64) {
	m.others.add(id)
	m.looked.add(id)
}

// recalled is recall, of those that have not matched until now.
func (m *matches) recalled(ctx context.Context, found []*db.Series) (map[int64]int64, error) {
	var begin []int64
	for _, s := range found {
		if f := m.found[s.ID]; f == nil || f.series == nil {
			begin = append(begin, s.ID)
		}
	}
	if m.recall == nil || len(begin) == 0 {
		return nil, nil
	}
	return m.recall(ctx, begin)
}

// renew looks again which series match.
func (m *matches) renew(ctx context.Context) error {
	found, err := m.load(ctx)
	if err != nil {
		return err
	}
	if err := m.add(ctx, found); err != nil {
		return err
	}
	match := make(idSet, len(found))
	for _, s := range found {
		match.add(s.ID)
	}
	for id, f := range m.found {
		if !match.has(id) {
			f.series = nil
		}
	}
	return nil
}

// unknown returns the series of an entry that were not looked up yet.
func (m *matches) unknown(e *journal.Entry) (ids []int64) {
	for at, of := range e.Blocks {
		for fresh := of &^ m.looked[at]; fresh != 0; fresh &= fresh - 1 {
			ids = append(ids, at<<6|int64(bits.TrailingZeros64(fresh)))
		}
	}
	for _, d := range e.Deletions {
		if !m.looked.has(d.Series) {
			ids = append(ids, d.Series)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// readingsIn yields the series that were found, and have readings in an entry, with these, in order of their ids. Of few series
// each is looked for: an entry may have readings of thousands.
func (m *matches) readingsIn(e *journal.Entry) func(yield func(*followed, []reading.Reading) bool) {
	return func(yield func(*followed, []reading.Reading) bool) {
		if len(m.order) <= fewSeries {
			for _, id := range m.order {
				if run := e.RunOf(id); len(run) > 0 && !yield(m.found[id], run) {
					return
				}
			}
			return
		}
		for id, run := range e.Runs {
			if f := m.found[id]; f != nil && !yield(f, run) {
				return
			}
		}
	}
}

// fewSeries is how many series are rather looked for one by one.
const fewSeries = 16

// concern says of all series that were looked up whether they match.
func (m *matches) concern() map[int64]bool {
	concern := make(map[int64]bool, len(m.found)+m.others.count())
	for id := range m.others.all {
		concern[id] = false
	}
	for id := range m.found {
		concern[id] = true // also one that has ceased to: its end is still told
	}
	return concern
}

// judge says whether a reading at time t (µs) is newer than all that came before it of its series, and counts it.
func (f *followed) judge(t int64) gql.ReadingKind {
	if t <= f.newest {
		return gql.ReadingKindLate
	}
	f.newest = t
	return gql.ReadingKindNew
}

// delete takes note of a deletion. What it leaves lies before it, if the newest reading was in it.
func (f *followed) delete(d reading.Deletion) {
	switch {
	case d.Whole():
		f.series, f.newest = nil, never
	case d.Covers(f.newest):
		f.newest = max(d.From, never+1) - 1
	}
}
