package pack_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// site is a project whose journal is packed.
type site struct {
	*pack.Packer
	t       testing.TB
	pool    *pgxpool.Pool
	project int64
	entries []entry // what was appended; entry i has the offset i+1
}

type entry struct {
	readings  []reading.Reading
	deletions []reading.Deletion
}

// tiny makes so few readings split rows, runs and chunks.
var tiny = pack.Sizes{Batch: 60, Row: 7, Runs: 3, Merge: 200, Chunk: 10, Stretch: 25}

func setup(t testing.TB, cfg pack.Config) *site {
	t.Helper()
	return newSite(t, testdb.New(t), cfg)
}

func newSite(t testing.TB, pool *pgxpool.Pool, cfg pack.Config) *site {
	t.Helper()
	return &site{Packer: pack.New(pool, cfg), t: t, pool: pool, project: newProjectOf(t, pool)}
}

func newProjectOf(t testing.TB, pool *pgxpool.Pool) (id int64) {
	t.Helper()
	row := pool.QueryRow(t.Context(), `insert into projects (name) values ('test') returning id`)
	if err := row.Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// append adds an entry of readings to the journal.
func (s *site) append(rs ...reading.Reading) {
	s.t.Helper()
	rs = reading.Sort(slices.Clone(rs))
	s.appendEntry(journal.KindReadings, len(rs), reading.Encode(nil, rs))
	s.entries = append(s.entries, entry{readings: rs})
}

// remove adds an entry of deletions to the journal.
func (s *site) remove(ds ...reading.Deletion) {
	s.t.Helper()
	s.appendEntry(journal.KindDeletions, len(ds), reading.EncodeDeletions(nil, ds))
	s.entries = append(s.entries, entry{deletions: ds})
}

func (s *site) appendEntry(kind int16, count int, payload []byte) {
	s.t.Helper()
	_, err := store.AppendEntries(s.t.Context(), s.pool, uuid.New(),
		[]store.Pending{{Project: s.project, Kind: kind, Count: count, Payload: payload}})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) pack() {
	s.t.Helper()
	if err := s.Pack(s.t.Context(), s.project); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) settle(now time.Time) {
	s.t.Helper()
	if err := s.Settle(s.t.Context(), s.project, now); err != nil {
		s.t.Fatal(err)
	}
}

// history is what readings a project has, by series and time.
type history map[int64]map[int64]float64

// model returns what the first n entries make, naively.
func (s *site) model(n int64) history {
	h := history{}
	for _, e := range s.entries[:n] {
		for _, r := range e.readings {
			h.put(r)
		}
		for _, d := range e.deletions {
			maps.DeleteFunc(h[d.Series], func(t int64, _ float64) bool { return d.Covers(t) })
		}
	}
	return h
}

func (h history) put(r reading.Reading) {
	if h[r.Series] == nil {
		h[r.Series] = map[int64]float64{}
	}
	h[r.Series][r.Time] = r.Value
}

// sorted returns all readings in order.
func (h history) sorted() (rs []reading.Reading) {
	for series, points := range h {
		for t, v := range points {
			rs = append(rs, reading.Reading{Series: series, Time: t, Value: v})
		}
	}
	return reading.Sort(rs)
}

// row is a row of young or chunk as it is stored, decoded.
type row struct {
	day                 time.Time
	block, first, last  int64
	upto, since         int64
	part, parts, tier   int
	firstTime, lastTime int64
	readings            []reading.Reading
}

func (s *site) young() []row {
	return s.rows(`select day, block, first_series, last_series, upto, since, part, parts, tier, first_time, last_time, count, payload
		from young where project_id = $1 order by day, block, upto, part`)
}

func (s *site) chunks() []row {
	return s.rows(`select date '1970-01-01', series_id >> 10, series_id, series_id, 0::bigint, 0::bigint, 1, 1, 3, first_time, last_time, count, payload
		from chunk where project_id = $1 order by series_id, first_time`)
}

func (s *site) rows(query string) []row {
	s.t.Helper()
	found, err := s.pool.Query(s.t.Context(), query, s.project)
	if err != nil {
		s.t.Fatal(err)
	}
	rows, err := pgx.CollectRows(found, func(at pgx.CollectableRow) (r row, err error) {
		var count int
		var payload []byte
		if err := at.Scan(&r.day, &r.block, &r.first, &r.last, &r.upto, &r.since, &r.part, &r.parts, &r.tier,
			&r.firstTime, &r.lastTime, &count, &payload); err != nil {
			return r, err
		}
		r.readings, err = reading.Decode(nil, payload)
		if err == nil && len(r.readings) != count {
			err = fmt.Errorf("%d readings in a row that says %d", len(r.readings), count)
		}
		return r, err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

// check expects that all that is packed is what a naive recomputation gives, and that the rows keep their promises.
func (s *site) check() {
	s.t.Helper()
	_, packedTo, err := store.Head(s.t.Context(), s.pool, s.project)
	if err != nil {
		s.t.Fatal(err)
	}
	want := s.model(packedTo)
	young, chunks := s.young(), s.chunks()
	got, settled := history{}, history{}
	for _, r := range chunks {
		for _, v := range r.readings {
			got.put(v)
			settled.put(v)
		}
	}
	slices.SortStableFunc(young, func(a, b row) int { return int(a.upto - b.upto) })
	for _, r := range young {
		for _, v := range r.readings {
			if _, twice := settled[v.Series][v.Time]; twice && r.tier == 2 {
				s.t.Errorf("reading %v is in chunk and in a settled row of young", v)
			}
			got.put(v)
		}
	}
	for _, r := range young {
		if r.tier == 2 {
			for _, v := range r.readings {
				settled.put(v)
			}
		}
	}
	if a, b := got.sorted(), want.sorted(); !slices.Equal(a, b) {
		s.t.Errorf("up to offset %d, %d readings are packed, want %d: %v", packedTo, len(a), len(b), firstDifference(a, b))
	}
	s.checkYoung(young)
	s.checkChunks(chunks)
	s.checkRollups(settled)
	s.checkLatest(want, packedTo)
}

func firstDifference(a, b []reading.Reading) string {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return fmt.Sprintf("%v is missing", b[i])
		case i >= len(b):
			return fmt.Sprintf("%v is too many", a[i])
		case a[i] != b[i]:
			return fmt.Sprintf("%v instead of %v", a[i], b[i])
		}
	}
	return "no difference"
}

func (s *site) checkYoung(rows []row) {
	s.t.Helper()
	type key struct {
		day   time.Time
		block int64
		upto  int64
	}
	runs := map[key][]row{}
	for _, r := range rows {
		k := key{r.day, r.block, r.upto}
		runs[k] = append(runs[k], r)
		if len(r.readings) == 0 {
			s.t.Errorf("an empty row: %+v", r)
			continue
		}
		low, high := int64(math.MaxInt64), int64(math.MinInt64)
		for _, v := range r.readings {
			low, high = min(low, v.Time), max(high, v.Time)
			if v.Series>>10 != r.block || !time.UnixMicro(v.Time).UTC().Truncate(24*time.Hour).Equal(r.day) {
				s.t.Errorf("reading %v is in block %d of %v", v, r.block, r.day)
			}
		}
		if r.first != r.readings[0].Series || r.last != r.readings[len(r.readings)-1].Series || r.firstTime != low || r.lastTime != high {
			s.t.Errorf("the columns of a row are wrong: %+v", r)
		}
	}
	ends := map[key]int64{} // of a day and block
	for _, k := range slices.SortedFunc(maps.Keys(runs), func(a, b key) int { return int(a.upto - b.upto) }) {
		var all []reading.Reading
		run := runs[k]
		slices.SortFunc(run, func(a, b row) int { return a.part - b.part })
		for i, r := range run {
			if r.part != i+1 || r.parts != len(run) || r.tier != run[0].tier || r.since != run[0].since {
				s.t.Errorf("a run of %d rows has part %d of %d, tier %d, at place %d", len(run), r.part, r.parts, r.tier, i)
			}
			all = append(all, r.readings...)
		}
		if !slices.IsSortedFunc(all, reading.Compare) || len(reading.Sort(slices.Clone(all))) != len(all) {
			s.t.Errorf("the run of %v up to %d is not sorted and distinct", k.day, k.upto)
		}
		whole := key{k.day, k.block, 0}
		if run[0].since < ends[whole] {
			s.t.Errorf("two runs of block %d on %v hold entry %d", k.block, k.day, ends[whole])
		}
		if run[0].tier == 2 && ends[whole] != 0 {
			s.t.Errorf("block %d on %v has runs before its settled one", k.block, k.day)
		}
		ends[whole] = k.upto
	}
}

func (s *site) checkChunks(rows []row) {
	s.t.Helper()
	for i, r := range rows {
		if len(r.readings) == 0 || r.readings[0].Time != r.firstTime || r.readings[len(r.readings)-1].Time != r.lastTime {
			s.t.Errorf("the times of a chunk are wrong: %+v", r)
		}
		if i > 0 && rows[i-1].first == r.first && rows[i-1].lastTime >= r.firstTime {
			s.t.Errorf("two chunks of series %d overlap at %d", r.first, r.firstTime)
		}
		a, b := time.UnixMicro(r.firstTime).UTC(), time.UnixMicro(r.lastTime).UTC()
		if a.Month() != b.Month() || a.Year() != b.Year() {
			s.t.Errorf("a chunk of series %d crosses a month: %v to %v", r.first, a, b)
		}
		for _, v := range r.readings {
			if v.Series != r.first {
				s.t.Errorf("reading %v is in a chunk of series %d", v, r.first)
			}
		}
	}
}

func (s *site) checkRollups(settled history) {
	s.t.Helper()
	const dayLen = 24 * 3600 * 1e6
	var days, hours []string
	rs := settled.sorted()
	for len(rs) > 0 {
		n := 1
		for n < len(rs) && rs[n].Series == rs[0].Series && rs[n].Time/dayLen == rs[0].Time/dayLen {
			n++
		}
		day, of := pack.Rollups(rs[:n])
		days = append(days, rollupText(day))
		for _, h := range of {
			hours = append(hours, rollupText(h))
		}
		rs = rs[n:]
	}
	s.compareRollups("rollup_day", days)
	s.compareRollups("rollup_hour", hours)
}

func rollupText(r store.Rollup) string {
	return fmt.Sprint(r.Series, r.Start, r.Count, r.Sum, r.M2, r.Min, r.Max, r.First, r.Last, r.FirstAt, r.LastAt, r.Sketch, r.Area, r.Increase)
}

func (s *site) compareRollups(table string, want []string) {
	s.t.Helper()
	found, err := s.pool.Query(s.t.Context(), `select series_id, (extract(epoch from start) * 1000000)::bigint, count, sum, m2, min, max,
		first, last, (extract(epoch from first_at) * 1000000)::bigint, (extract(epoch from last_at) * 1000000)::bigint, sketch, area, increase
		from `+table+` where project_id = $1 order by series_id, start`, s.project)
	if err != nil {
		s.t.Fatal(err)
	}
	got, err := pgx.CollectRows(found, func(at pgx.CollectableRow) (string, error) {
		var r store.Rollup
		err := at.Scan(&r.Series, &r.Start, &r.Count, &r.Sum, &r.M2, &r.Min, &r.Max, &r.First, &r.Last, &r.FirstAt, &r.LastAt, &r.Sketch,
			&r.Area, &r.Increase)
		return rollupText(r), err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s has %d rows, want %d:\n%v\n%v", table, len(got), len(want), got, want)
	}
}

func (s *site) checkLatest(want history, packedTo int64) {
	s.t.Helper()
	found, err := s.pool.Query(s.t.Context(), `select series_id, (extract(epoch from "time") * 1000000)::bigint, value, "offset"
		from latest where project_id = $1`, s.project)
	if err != nil {
		s.t.Fatal(err)
	}
	got := map[int64]reading.Reading{}
	var series, offset int64
	var at *int64
	var value *float64
	if _, err := pgx.ForEachRow(found, []any{&series, &at, &value, &offset}, func() error {
		if offset > packedTo {
			s.t.Errorf("the latest of series %d is of offset %d, packed is %d", series, offset, packedTo)
		}
		if at != nil {
			got[series] = reading.Reading{Series: series, Time: *at, Value: *value}
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	newest := map[int64]reading.Reading{}
	for _, r := range want.sorted() {
		newest[r.Series] = r
	}
	if !maps.Equal(got, newest) {
		s.t.Errorf("latest is %v, want %v", got, newest)
	}
}

// at returns a time (µs).
func at(text string) int64 {
	t, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err)
	}
	return t.UnixMicro()
}

func clock(text string) time.Time { return time.UnixMicro(at(text)) }

// every returns n readings of a series from a time on, so far apart.
func every(apart time.Duration, series int64, from string, n int, value func(i int) float64) (rs []reading.Reading) {
	for i := range n {
		rs = append(rs, reading.Reading{Series: series, Time: at(from) + int64(i)*apart.Microseconds(), Value: value(i)})
	}
	return rs
}
