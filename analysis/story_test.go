package analysis_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// storySeries are of three blocks of young rows, some of them neighbours.
var storySeries = []int64{1, 2, 3, 1023, 1024, 5000}

// story is a random history of two projects, and what the statistics of it must be.
type story struct {
	projects []int64
	*process
	packer *pack.Packer
	model  model
}

func newStory(t testing.TB, pool *pgxpool.Pool) *story {
	t.Helper()
	s := &story{model: model{}, process: start(t, pool, history.Config{CacheBytes: 100_000})}
	for range 2 {
		s.projects = append(s.projects, newProject(t, pool))
	}
	s.packer = pack.New(pool, pack.Config{
		Sizes:  pack.Sizes{Batch: 600, Row: 80, Runs: 3, Chunk: 60, Stretch: 200},
		Packed: func(project, upto int64) { s.follower.Packed(project, upto) },
	})
	return s
}

func (s *story) anyProject(t *rapid.T) int64 { return rapid.SampledFrom(s.projects).Draw(t, "project") }

// append sends readings of a series of some hours: late ones, corrections and repetitions among them. Some hours and days get
// so many that they have rollups, and sketches.
func (s *story) append(t *rapid.T) {
	project, series := s.anyProject(t), rapid.SampledFrom(storySeries).Draw(t, "series")
	from := spring + int64(rapid.IntRange(0, 4*24).Draw(t, "hour"))*hour
	step := rapid.SampledFrom([]int64{second, 7 * second, 600 * second, 2 * hour, 23 * hour}).Draw(t, "step")
	n := rapid.SampledFrom([]int{1, 5, 60, pack.HourMin, pack.SketchMin}).Draw(t, "readings")
	values := rapid.SampledFrom([]int{7, 10_007}).Draw(t, "values")
	rs := make([]reading.Reading, n)
	for i := range rs {
		rs[i] = reading.Reading{Series: series, Time: from + int64(i%200)*step + int64(i/200), Value: float64(i*7919%values-3) / 10}
	}
	if _, err := s.journal.Append(context.Background(), project, slices.Clone(rs)); err != nil {
		t.Fatal(err)
	}
	s.model.append(project, rs...)
}

func (s *story) delete(t *rapid.T) {
	project := s.anyProject(t)
	d := reading.DeleteAll(rapid.SampledFrom(storySeries).Draw(t, "series"))
	if rapid.IntRange(0, 3).Draw(t, "all") > 0 {
		d.From = spring + int64(rapid.IntRange(0, 4*24).Draw(t, "from"))*hour
		d.To = d.From + int64(rapid.IntRange(1, 30*3600).Draw(t, "for"))*second
	}
	if _, err := s.journal.Delete(context.Background(), project, []reading.Deletion{d}); err != nil {
		t.Fatal(err)
	}
	s.model.delete(project, d)
}

func (s *story) pack(t *rapid.T) {
	if err := s.packer.Pack(context.Background(), s.anyProject(t)); err != nil {
		t.Fatal(err)
	}
}

func (s *story) settle(t *rapid.T) {
	now := time.UnixMicro(spring + int64(rapid.IntRange(0, 20).Draw(t, "now"))*day)
	for _, project := range s.projects {
		if err := s.packer.Settle(context.Background(), project, now); err != nil {
			t.Fatal(err)
		}
	}
}

// ask asks anything, by readings or by rollups.
func (s *story) ask(t *rapid.T) {
	var keys []key
	for _, project := range s.projects {
		for _, series := range storySeries {
			keys = append(keys, key{project, series})
		}
	}
	r := analysis.Request{Groups: anyGroups(t, keys), Window: anyWindow(t), Need: anyNeed(t), Now: time.UnixMicro(spring + 30*day)}
	r.From, r.To = anyRange(t)
	r.Shift = period(rapid.SampledFrom([]string{"", "", "PT1H", "P1D"}).Draw(t, "shift"))
	raw := rapid.SampledFrom([]int{-1, -1, 0}).Draw(t, "raw")
	a, err := analysis.New(s.reader, analysis.Config{RawSummaries: raw, RawValues: raw}).Answer(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	readings := map[key][]reading.Reading{}
	for _, k := range keys {
		readings[k] = s.model.all(k)
	}
	checkAnswer(t, a, r, readings)
}

// Whatever is appended late, repeated, corrected and deleted, and whenever it is packed and settled: what is said of the
// readings is what they say.
func TestAnswersFollowWhatIsStored(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := newStory(t, pool)
		defer s.stop()
		rt.Repeat(map[string]func(*rapid.T){
			"append": s.append,
			"more":   s.append,
			"delete": s.delete,
			"pack":   s.pack,
			"settle": s.settle,
			"ask":    s.ask,
			"again":  s.ask,
		})
	})
}

// settled is a project of one series, with a reading each 20 minutes for four days, none of them on the hour, which are settled.
func settled(t *testing.T) *story {
	t.Helper()
	s := newStory(t, testdb.New(t))
	var rs []reading.Reading
	for i := range int64(4 * 72) {
		rs = append(rs, reading.Reading{Series: 1, Time: spring + 300*second + i*1200*second, Value: float64(i * 37 % 101)})
	}
	s.send(t, rs...)
	s.rest(t)
	return s
}

func (s *story) send(t *testing.T, rs ...reading.Reading) {
	t.Helper()
	if _, err := s.journal.Append(t.Context(), s.projects[0], rs); err != nil {
		t.Fatal(err)
	}
}

// rest settles all that was sent.
func (s *story) rest(t *testing.T) {
	t.Helper()
	if err := s.packer.Pack(t.Context(), s.projects[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.packer.Settle(t.Context(), s.projects[0], time.UnixMicro(spring+10*day)); err != nil {
		t.Fatal(err)
	}
}

func TestALateReadingChangesTheBucketsItBelongsToAndNoOther(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		raw     int
		need    stats.Need
		at      int64
		every   string
		changed []int
	}{
		"values, from readings":            {0, stats.Need{Values: true}, spring + day + 90*60*second, "P1D", []int{1}},
		"values, from rollups":             {-1, stats.Need{Values: true}, spring + day + 90*60*second, "P1D", []int{1}},
		"a line within a bucket":           {-1, stats.Need{Line: true}, spring + day + 90*60*second, "P1D", []int{1}},
		"a line that crosses a bound":      {-1, stats.Need{Line: true}, spring + 2*day - 600*second, "P1D", []int{1, 2}},
		"a line of readings over a bound":  {0, stats.Need{Line: true}, spring + 7*hour - 60*second, "PT1H", []int{6, 7}},
		"a correction":                     {0, stats.Need{Values: true}, spring + 7*hour + 300*second, "PT1H", []int{7}},
		"a correction's line":              {0, stats.Need{Line: true}, spring + 7*hour + 300*second, "PT1H", []int{6, 7}},
		"a correction's line, of rollups":  {-1, stats.Need{Line: true}, spring + 2*day + 300*second, "P1D", []int{1, 2}},
		"a reading in front of all others": {0, stats.Need{Line: true}, spring + 60*second, "PT1H", []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := settled(t)
			from, to := spring, spring+4*day
			r := analysis.Request{
				Groups: [][]analysis.Member{{{Project: s.projects[0], Series: 1}}}, From: &from, To: &to,
				Window: stats.Window{Every: period(c.every)}, Need: c.need,
			}
			e := analysis.New(s.reader, analysis.Config{RawSummaries: c.raw, RawValues: c.raw})
			before := s.mustAnswer(t, e, r)
			s.send(t, reading.Reading{Series: 1, Time: c.at, Value: 1000})
			for _, state := range []string{"in the tail", "settled"} {
				if state == "settled" {
					s.rest(t)
				}
				after := s.mustAnswer(t, e, r)
				if got := changedBuckets(before, after); !slices.Equal(got, c.changed) {
					t.Errorf("%s: the buckets %v changed, want %v", state, got, c.changed)
				}
			}
		})
	}
}

func (s *story) mustAnswer(t *testing.T, e *analysis.Engine, r analysis.Request) *analysis.Answer {
	t.Helper()
	a, err := e.Answer(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func changedBuckets(before, after *analysis.Answer) (changed []int) {
	for i, b := range before.Groups[0].Buckets {
		a := after.Groups[0].Buckets[i]
		same := a.Empty() == b.Empty()
		if same && !a.Empty() {
			la, lb := a.Line, b.Line
			same = a.Summary == b.Summary && la.Area == lb.Area && la.Seconds == lb.Seconds && la.Increase == lb.Increase && la.Delta == lb.Delta
			for _, q := range []float64{0.1, 0.5, 1} {
				va, _ := stats.Quantile(q)(a)
				vb, _ := stats.Quantile(q)(b)
				same = same && va == vb
			}
		}
		if !same {
			changed = append(changed, i)
		}
	}
	return changed
}
