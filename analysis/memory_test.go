package analysis_test

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
	"github.com/readout-dev/readout/store"
)

// memory is a source that holds a model. What is rolled up, and in which pieces it is read, is left to chance.
type memory struct {
	readings map[key][]reading.Reading
	rolled   float64 // the share of days, and of hours, that have rollups
	outlived bool    // what Estimate says, though nothing has gone

	mu  sync.Mutex
	rng *rand.Rand
}

func newMemory(m model, seed uint64, rolled float64) *memory {
	s := &memory{readings: map[key][]reading.Reading{}, rng: rand.New(rand.NewPCG(seed, 1)), rolled: rolled}
	for k := range m {
		s.readings[k] = m.all(k)
	}
	return s
}

func (s *memory) chance(p float64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.Float64() < p
}

func (s *memory) up(to int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return 1 + s.rng.IntN(to)
}

func within(rs []reading.Reading, from, to int64) []reading.Reading {
	low, _ := slices.BinarySearchFunc(rs, from, func(r reading.Reading, t int64) int { return int(max(-1, min(1, r.Time-t))) })
	high, _ := slices.BinarySearchFunc(rs, to, func(r reading.Reading, t int64) int { return int(max(-1, min(1, r.Time-t))) })
	return rs[low:max(low, high)]
}

// Spans gives stretches of any length, whose readings are overwritten when the next is asked for.
func (s *memory) Spans(_ context.Context, project int64, series []int64, from, to int64, _ int) iter.Seq2[history.Span, error] {
	return func(yield func(history.Span, error) bool) {
		for from < to {
			end := to
			if s.chance(0.8) {
				end = min(to, from+int64(s.up(int(min(to-from, 3*day)))))
			}
			span := history.Span{From: from, To: end, Series: make([][]reading.Reading, len(series))}
			n := 0
			for i, id := range series {
				span.Series[i] = slices.Clone(within(s.readings[key{project, id}], from, end))
				n += len(span.Series[i])
			}
			if n > 0 && !yield(span, nil) {
				return
			}
			for _, rs := range span.Series {
				for i := range rs {
					rs[i] = reading.Reading{Series: -1, Time: -1, Value: math.NaN()}
				}
			}
			from = end
		}
	}
}

// Summaries answers some of the days and hours that no bound cuts.
func (s *memory) Summaries(_ context.Context, q history.SummaryQuery, take func(*history.Unit) error) (left []history.Part, err error) {
	if !slices.IsSorted(q.Bounds) || !slices.IsSorted(q.Series) {
		return nil, fmt.Errorf("bounds or series are out of order: %v, %v", q.Bounds, q.Series)
	}
	from, to := q.Bounds[0], q.Bounds[len(q.Bounds)-1]
	if q.GoneOnly {
		return []history.Part{{From: from, To: to, Series: q.Series}}, nil
	}
	whole := func(from, length int64) bool {
		i, _ := slices.BinarySearch(q.Bounds, from+1)
		return i > 0 && i < len(q.Bounds) && q.Bounds[i] >= from+length
	}
	for _, id := range s.shuffled(q.Series) {
		rs := s.readings[key{q.Project, id}]
		for start := from - ((from%day)+day)%day; start < to; start += day {
			if whole(start, day) && s.chance(s.rolled) {
				err = s.give(q, take, id, start, day, within(rs, start, start+day))
			} else {
				for at := start; at < start+day; at += hour {
					switch {
					case at+hour <= from || at >= to:
					case whole(at, hour) && s.chance(s.rolled):
						err = s.give(q, take, id, at, hour, within(rs, at, at+hour))
					default:
						left = append(left, history.Part{From: max(at, from), To: min(at+hour, to), Series: []int64{id}})
					}
				}
			}
			if err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(left, func(a, b history.Part) int { return int(max(-1, min(1, a.From-b.From))) })
	return left, nil
}

func (s *memory) shuffled(series []int64) []int64 {
	all := slices.Clone(series)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rng.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	return all
}

func (s *memory) give(
	q history.SummaryQuery, take func(*history.Unit) error, series, start, length int64, rs []reading.Reading,
) error {
	if len(rs) == 0 {
		return nil
	}
	place, _ := slices.BinarySearch(q.Series, series)
	u := history.Unit{Place: place, Length: length, Rollup: store.Rollup{Series: series, Start: start, Summary: stats.Summarize(rs)}}
	u.Area, u.Increase = math.NaN(), math.NaN()
	if q.Lines {
		line := stats.NewLine(rs, nil)
		u.Area, u.Increase = line.Area, line.Increase
	}
	if q.Sketches {
		u.Sketch = stats.NewSketch(rs).Append(nil)
	}
	err := take(&u)
	clear(u.Sketch)
	u = history.Unit{}
	return err
}

func (s *memory) First(_ context.Context, project int64, series []int64) (t int64, ok bool, err error) {
	t = math.MaxInt64
	for _, id := range series {
		if rs := s.readings[key{project, id}]; len(rs) > 0 {
			t, ok = min(t, rs[0].Time), true
		}
	}
	return t, ok, nil
}

// looking is a memory that reads what is little at once.
type looking struct{ *memory }

func (s looking) Look(ctx context.Context, q history.LookQuery, use func(history.Span) error) (look history.Look, err error) {
	look.Readings, look.Outlived, _ = s.Estimate(ctx, q.Project, q.Series, q.From, q.To, q.Most)
	span := history.Span{From: q.From - q.Margin, To: q.To + q.Margin}
	n := 0
	for _, id := range q.Series {
		rs := slices.Clone(within(s.readings[key{q.Project, id}], span.From, span.To))
		span.Series = append(span.Series, rs)
		n += len(rs)
	}
	if look.Read = n <= q.Few && !look.Outlived; look.Read && n > 0 {
		err = use(span)
	}
	return look, err
}

func (s *memory) Estimate(_ context.Context, project int64, series []int64, from, to int64, most int) (n int, outlived bool, err error) {
	for _, id := range series {
		n += len(within(s.readings[key{project, id}], from, to))
	}
	return min(n, most), s.outlived, nil
}
