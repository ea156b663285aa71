package history

import (
	"math"
	"testing"

	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

// One of 16 series has nearly all, and it is none of those by which the others are judged.
func TestTailEndIsNotMisledByTheSeriesThatItLooksAt(t *testing.T) {
	t.Parallel()
	const project, each, all = 1, 10, 10_000
	held := tail.New()
	held.Start(journal.Beginning{Project: project})
	q := query{project: project, to: forever, want: 100}
	var rs []reading.Reading
	for s := range int64(16) {
		q.series = append(q.series, s)
		n := int64(each)
		if s == 1 {
			n = all
		}
		for i := range n {
			rs = append(rs, reading.Reading{Series: s, Time: i * all / n})
		}
	}
	held.Apply(journal.Entry{Project: project, Offset: 1, Readings: rs})
	r := &Reader{tail: held}
	if got := held.Count(project, q.series, 0, r.tailEnd(q)); got > unlike*q.want || got < q.want/2 {
		t.Errorf("%d readings lie before the end, want about %d", got, q.want)
	}
	q.series = q.series[2:]
	if got := r.tailEnd(q); held.Count(project, q.series, 0, got) < q.want/2 {
		t.Errorf("nearly nothing lies before the end %d", got)
	}
	q.want = all
	if got := r.tailEnd(q); got != math.MaxInt64 {
		t.Errorf("where all is wanted the end is %d", got)
	}
}

func TestCutIsWhereAsMuchIsFoundAsIsWantedButNeverBeforeAnything(t *testing.T) {
	t.Parallel()
	f := func(want int, to int64, count int) {
		t.Helper()
		s := stretch{from: 0, to: 1000, count: 7, series: [][]reading.Reading{{{Time: 10}, {Time: 20}, {Time: 30}}, {}, {{Time: 10}, {Time: 21}, {Time: 30}, {Time: 40}}}}
		s.cut(want)
		n := 0
		for _, rs := range s.series {
			n += len(rs)
		}
		if s.to != to || s.count != count || n != count {
			t.Errorf("%d are wanted: %d before %d, and %d are left; want %d before %d", want, s.count, s.to, n, count, to)
		}
	}
	f(1, 11, 2)
	f(2, 20, 2)
	f(3, 21, 3)
	f(5, 30, 4)
	f(6, 40, 6)
	f(7, 1000, 7)
}
