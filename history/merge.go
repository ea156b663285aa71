package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// merger makes one of the parts of a query's readings. It is for one goroutine.
type merger struct {
	q      query
	held   tail.Snapshot
	packed *store.Packed
	keep   func(name, []reading.Reading) // takes what was decoded; it is read only from then on

	// What the cache holds, by place in packed.Chunks and packed.Young; of rows of young, also what was decoded.
	chunks, young map[int][]reading.Reading

	base   [][]reading.Reading // of each series its chunks' readings, in the room
	placed int                 // the chunks before this place are in base
	count  int                 // readings held, equal ones counted twice
	room   *room
}

func newMerger(q query, held tail.Snapshot, packed *store.Packed, room *room) *merger {
	m := &merger{
		q: q, held: held, packed: packed, room: room,
		chunks: make(map[int][]reading.Reading), young: make(map[int][]reading.Reading),
	}
	likely := make([]int, len(q.series))
	for i, rs := range held.Readings {
		likely[i] = len(rs)
		m.count += len(rs)
	}
	for _, k := range packed.Chunks {
		part := int(piece{float64(k.Count), k.First, k.Last}.within(q.from, q.to))
		if part > 0 && part < k.Count {
			part = min(k.Count, part+part/8+16) // readings are not spread evenly
		}
		likely[m.place(k.Series)] += part
	}
	m.base = room.divide(likely, 2*q.max)
	return m
}

// place returns where a series of the query stands.
func (m *merger) place(series int64) int {
	i, _ := slices.BinarySearch(m.q.series, series)
	return i
}

// wanted returns the series of the query that a row of young may hold.
func (m *merger) wanted(k store.YoungKey) []int64 {
	low, _ := slices.BinarySearch(m.q.series, k.FirstSeries)
	high, also := slices.BinarySearch(m.q.series, k.LastSeries)
	if also {
		high++
	}
	return m.q.series[low:high]
}

// decodeChunk takes the chunk at place i in; places come in ascending order.
func (m *merger) decodeChunk(i int, payload []byte) error {
	m.placeCached(i)
	m.placed = i + 1
	k := m.packed.Chunks[i]
	base := &m.base[m.place(k.Series)]
	within := m.q.from <= k.First && k.Last < m.q.to
	into := m.room.spare[:0]
	if within {
		into = *base
	}
	all, err := reading.Decode(into, payload)
	if err != nil {
		return fmt.Errorf("read chunk %d of series %d: %w", k.Version, k.Series, err)
	}
	rs := all[len(into):]
	if n := len(rs); n != k.Count || n > 0 && (rs[0].Series != k.Series || rs[n-1].Series != k.Series) {
		return fmt.Errorf("read chunk %d of series %d: it holds other readings than its row says", k.Version, k.Series)
	}
	m.keep(chunkName(m.q.project, k), rs)
	if within {
		*base = all
	} else {
		m.room.spare, rs = all, between(rs, m.q.from, m.q.to)
		*base = append(*base, rs...)
	}
	return m.counted(len(rs))
}

// placeCached puts the chunks that the cache holds into base, up to the place i.
func (m *merger) placeCached(i int) {
	for ; m.placed < i; m.placed++ {
		if rs, ok := m.chunks[m.placed]; ok {
			base := &m.base[m.place(m.packed.Chunks[m.placed].Series)]
			*base = append(*base, between(rs, m.q.from, m.q.to)...)
		}
	}
}

// decodeYoung takes the row of young at place i in.
func (m *merger) decodeYoung(i int, payload []byte) error {
	k := m.packed.Young[i]
	all, err := reading.Decode(m.room.spare[:0], payload)
	if err != nil {
		return fmt.Errorf("read young to %d, part %d: %w", k.Upto, k.Part, err)
	}
	m.room.spare = all
	m.keep(youngName(m.q.project, k), all)
	var own []reading.Reading
	for _, series := range m.wanted(k) {
		own = append(own, of(all, series, m.q.from, m.q.to)...)
	}
	m.young[i] = own
	return m.counted(len(own))
}

// counted is an error when far more is held than the query may find.
func (m *merger) counted(more int) error {
	if m.count += more; m.count > 2*m.q.max+maxChunk {
		return errTooMany
	}
	return nil
}

// finish returns what was found.
func (m *merger) finish() (stretch, error) {
	m.placeCached(len(m.packed.Chunks))
	runs := m.runs()
	slices.SortFunc(m.held.Deletions, func(a, b reading.Deletion) int {
		return cmp.Or(cmp.Compare(a.Series, b.Series), cmp.Compare(a.From, b.From))
	})
	found := stretch{offset: m.held.Offset, from: m.q.from, to: m.q.to, series: m.base, held: m.held.Readings}
	for i, series := range m.q.series {
		rs := m.base[i]
		for _, day := range runs[i] {
			rs = overlay(rs, day.merged())
		}
		rs = mask(rs, m.deletions(series))
		rs = overlay(rs, between(m.held.Readings[i], m.q.from, m.q.to))
		if found.count += len(rs); found.count > m.q.max {
			return stretch{}, errTooMany
		}
		found.series[i] = rs
	}
	return found, nil
}

// runs returns what young holds of each series, by day.
func (m *merger) runs() [][]day {
	days := make([][]day, len(m.q.series))
	for i, k := range m.packed.Young {
		rs := m.young[i]
		if len(rs) == 0 {
			continue
		}
		for _, series := range m.wanted(k) {
			run := of(rs, series, m.q.from, m.q.to)
			if len(run) == 0 {
				continue
			}
			s := m.place(series)
			if n := len(days[s]); n == 0 || days[s][n-1].day != k.Day.Unix() {
				days[s] = append(days[s], day{day: k.Day.Unix()})
			}
			d := &days[s][len(days[s])-1]
			d.runs = append(d.runs, run)
		}
	}
	return days
}

// deletions returns what the tail has of a series to delete, by From.
func (m *merger) deletions(series int64) []reading.Deletion {
	ds := m.held.Deletions
	low := sort.Search(len(ds), func(i int) bool { return ds[i].Series >= series })
	high := sort.Search(len(ds), func(i int) bool { return ds[i].Series > series })
	return ds[low:high]
}

// day is what the runs of young hold of one series and one day, in the order in which they win: later over earlier.
type day struct {
	day  int64
	runs [][]reading.Reading
}

func (d day) merged() []reading.Reading {
	if len(d.runs) == 1 {
		return d.runs[0]
	}
	return reading.Merge(nil, d.runs...)
}

// overlay returns base with newer over it; both are of one series. base is used up, newer is only read.
func overlay(base, newer []reading.Reading) []reading.Reading {
	if len(base) == 0 || len(newer) == 0 || base[len(base)-1].Time < newer[0].Time {
		return append(base, newer...)
	}
	return reading.Merge(nil, base, newer)
}

// mask takes out of rs, in place, what deletions cover: deletions of the same series, sorted by From.
func mask(rs []reading.Reading, ds []reading.Deletion) []reading.Reading {
	if len(ds) == 0 {
		return rs
	}
	left, next, until := rs[:0], 0, int64(math.MinInt64)
	for _, r := range rs {
		for ; next < len(ds) && ds[next].From <= r.Time; next++ {
			until = max(until, ds[next].To)
		}
		if r.Time >= until {
			left = append(left, r)
		}
	}
	return left
}

// between returns the readings of rs, which are of one series, with from <= time < to.
func between(rs []reading.Reading, from, to int64) []reading.Reading {
	low := sort.Search(len(rs), func(i int) bool { return rs[i].Time >= from })
	high := low + sort.Search(len(rs)-low, func(i int) bool { return rs[low+i].Time >= to })
	return rs[low:high]
}

// of returns the readings of a series with from <= time < to in rs, which is sorted by series and time.
func of(rs []reading.Reading, series, from, to int64) []reading.Reading {
	at := func(t int64) int {
		return sort.Search(len(rs), func(i int) bool {
			return rs[i].Series > series || rs[i].Series == series && rs[i].Time >= t
		})
	}
	return rs[at(from):at(to)]
}
