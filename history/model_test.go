package history_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

// Series of three blocks of young, some of them neighbours.
var someSeries = []int64{1, 2, 3, 1023, 1024, 1025, 5000}

// small makes rows that split, runs that merge and chunks that are rewritten out of few readings.
var small = pack.Sizes{Batch: 60, Row: 8, Runs: 3, Chunk: 6, Stretch: 20}

// story is a random history of one project, and what must be read of it.
type story struct {
	tb      testing.TB
	pool    *pgxpool.Pool
	project int64
	process *process
	packer  *pack.Packer
	tells   bool // the process hears at once of what is packed
	model   model
}

func newStory(tb testing.TB, t *rapid.T, pool *pgxpool.Pool) *story {
	s := &story{tb: tb, pool: pool, project: newProject(t, pool), model: model{}}
	s.restart()
	return s
}

func (s *story) restart() {
	if s.process != nil {
		s.process.stop()
	}
	s.process = start(s.tb, s.pool, history.Config{CacheBytes: 20_000})
	s.packer = pack.New(s.pool, pack.Config{Sizes: small, Packed: func(project, upto int64) {
		if s.tells {
			s.process.follower.Packed(project, upto)
		}
	}})
}

func anySeries(t *rapid.T) int64 { return rapid.SampledFrom(someSeries).Draw(t, "series") }

// anyTime draws a time around the turn of days, hours and a month.
func anyTime(t *rapid.T) int64 {
	return base + rapid.Int64Range(0, 4).Draw(t, "day")*day +
		rapid.SampledFrom([]int64{0, 1, second, hour, 12 * hour, day - 2*second, day - 1}).Draw(t, "within") +
		rapid.Int64Range(0, 5).Draw(t, "more")*second
}

func (s *story) append(t *rapid.T) {
	var rs []reading.Reading
	for range rapid.IntRange(1, 6).Draw(t, "runs") {
		series, from := anySeries(t), anyTime(t)
		step := rapid.SampledFrom([]int64{1, second, 600 * second, 2 * hour}).Draw(t, "step")
		value := float64(rapid.IntRange(0, 1000).Draw(t, "value"))
		for i := range rapid.Int64Range(1, 20).Draw(t, "readings") {
			rs = append(rs, reading.Reading{Series: series, Time: from + i*step, Value: value + float64(i)/10})
		}
	}
	s.process.mustAppend(t, s.project, rs...)
	s.model.append(rs...)
}

func (s *story) delete(t *rapid.T) {
	d := reading.DeleteAll(anySeries(t))
	if rapid.IntRange(0, 3).Draw(t, "all") > 0 {
		d.From, d.To = anyRange(t)
	}
	s.process.mustDelete(t, s.project, d)
	s.model.delete(d)
}

func anyRange(t *rapid.T) (from, to int64) {
	from, to = anyTime(t), anyTime(t)
	if from > to {
		from, to = to, from
	}
	switch rapid.IntRange(0, 5).Draw(t, "ends") {
	case 0:
		from = 0
	case 1:
		to = math.MaxInt64
	case 2:
		from, to = 0, math.MaxInt64
	}
	return from, to
}

func (s *story) pack(t *rapid.T) {
	s.tells = rapid.Bool().Draw(t, "tells")
	if err := s.packer.Pack(context.Background(), s.project); err != nil {
		t.Fatal(err)
	}
}

func (s *story) settle(t *rapid.T) {
	now := time.UnixMicro(base + rapid.Int64Range(0, 8*24).Draw(t, "now")*hour)
	if err := s.packer.Settle(context.Background(), s.project, now); err != nil {
		t.Fatal(err)
	}
}

func (s *story) readRange(t *rapid.T) {
	series := anySeries(t)
	from, to := anyRange(t)
	got, want := s.process.mustRange(t, s.project, series, from, to), s.model.between(series, from, to)
	if !slices.Equal(got, want) {
		t.Fatalf("series %d in [%d, %d):\ngot  %v\nwant %v", series, from, to, got, want)
	}
}

func (s *story) readPages(t *rapid.T) {
	series := rapid.SliceOfNDistinct(rapid.SampledFrom(someSeries), 1, -1, rapid.ID[int64]).Draw(t, "of")
	from, to := anyRange(t)
	n := rapid.SampledFrom([]int{1, 7, 50, 1000}).Draw(t, "page")
	want := s.model.inTime(series, from, to)
	if n == 1 && len(want) > 20 {
		n = 30
	}
	seen := reading.Reading{Series: math.MinInt64, Time: math.MinInt64}
	var got []reading.Reading
	for {
		page, err := s.process.reader.Page(context.Background(), s.project, series, from, to, seen, n)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page...)
		if len(page) < n {
			break
		}
		seen = page[n-1]
	}
	if !slices.Equal(got, want) {
		t.Fatalf("pages of %d of %v in [%d, %d):\ngot  %v\nwant %v", n, series, from, to, got, want)
	}
}

func (s *story) readSpans(t *rapid.T) {
	series := rapid.SliceOfNDistinct(rapid.SampledFrom(someSeries), 1, -1, rapid.ID[int64]).Draw(t, "of")
	from, to := anyRange(t)
	want := rapid.SampledFrom([]int{5, 40, 1000}).Draw(t, "want")
	got := make([][]reading.Reading, len(series))
	end := from
	for span, err := range s.process.reader.Spans(context.Background(), s.project, series, from, to, want) {
		if err != nil {
			t.Fatal(err)
		}
		if span.From < end || span.To <= span.From || span.To > to {
			t.Fatalf("a span from %d to %d behind one to %d", span.From, span.To, end)
		}
		end = span.To
		for i, rs := range span.Series {
			if len(rs) > 0 && (rs[0].Time < span.From || rs[len(rs)-1].Time >= span.To) {
				t.Fatalf("a span from %d to %d holds %v", span.From, span.To, rs)
			}
			got[i] = append(got[i], rs...)
		}
	}
	for i, id := range series {
		if w := s.model.between(id, from, to); !slices.Equal(got[i], w) {
			t.Fatalf("spans of %d, series %d in [%d, %d):\ngot  %v\nwant %v", want, id, from, to, got[i], w)
		}
	}
}

func (s *story) look(t *rapid.T) {
	q := history.LookQuery{
		Project: s.project, Series: rapid.SliceOfNDistinct(rapid.SampledFrom(someSeries), 1, -1, rapid.ID[int64]).Draw(t, "of"), Most: 1,
		Few: rapid.SampledFrom([]int{1, 30, 1_000_000}).Draw(t, "few"), Margin: rapid.SampledFrom([]int64{0, second, day}).Draw(t, "margin"),
	}
	q.From, q.To = anyRange(t)
	got := make([][]reading.Reading, len(q.Series))
	look, err := s.process.reader.Look(context.Background(), q, func(span history.Span) error {
		for i, rs := range span.Series {
			got[i] = slices.Clone(rs)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !look.Read {
		if q.Few == 1_000_000 && q.From < q.To {
			t.Fatal("nothing was read, though all is little")
		}
		return
	}
	from, to := q.From-q.Margin, max(q.To, q.To+q.Margin) // the last time there is stays that
	for i, id := range q.Series {
		if want := s.model.between(id, from, to); !slices.Equal(got[i], want) {
			t.Fatalf("a look at series %d in [%d, %d):\ngot  %v\nwant %v", id, from, to, got[i], want)
		}
	}
}

func (s *story) readAt(t *rapid.T) {
	from := anyTime(t)
	offset, got, err := s.process.reader.At(context.Background(), s.project, someSeries, from, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if applied, _ := s.process.follower.Applied(s.project); offset != applied {
		t.Fatalf("the state is that at %d, the journal's head is %d", offset, applied)
	}
	for i, series := range someSeries {
		if want := s.model.between(series, from, math.MaxInt64); !slices.Equal(got[i], want) {
			t.Fatalf("series %d from %d:\ngot  %v\nwant %v", series, from, got[i], want)
		}
	}
}

func (s *story) readLatest(t *rapid.T) {
	got, err := s.process.reader.Latest(context.Background(), s.project, someSeries)
	if err != nil {
		t.Fatal(err)
	}
	var want []reading.Reading
	for _, series := range someSeries {
		if all := s.model.between(series, 0, math.MaxInt64); len(all) > 0 {
			want = append(want, all[len(all)-1])
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("latest:\ngot  %v\nwant %v", got, want)
	}
}

// Whatever is appended late, repeated, corrected and deleted, and whenever it is packed, merged, settled and read again
// after a restart: what is read is what was sent.
func TestHistoryEqualsANaiveModel(t *testing.T) {
	t.Parallel()
	pool := database(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := newStory(t, rt, pool)
		defer func() { s.process.stop() }()
		rt.Repeat(map[string]func(*rapid.T){
			"append":  s.append,
			"again":   s.append,
			"delete":  s.delete,
			"pack":    s.pack,
			"settle":  s.settle,
			"restart": func(*rapid.T) { s.restart() },
			"range":   s.readRange,
			"pages":   s.readPages,
			"spans":   s.readSpans,
			"look":    s.look,
			"at":      s.readAt,
			"latest":  s.readLatest,
		})
	})
}
