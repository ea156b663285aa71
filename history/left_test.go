package history

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// leaving is a query of 20 series of which stretches of ten days are left, by the places of the series.
func leaving(left map[int][]interval) *summing {
	s := newSumming(SummaryQuery{Bounds: []int64{0, 10 * dayLen}}, 10*dayLen, nil)
	s.left = make([][]interval, 20)
	for place := range s.left {
		s.q.Series = append(s.q.Series, int64(100+place))
		s.left[place] = slices.Clone(left[place])
	}
	return s
}

func TestPartsAreTheStretchesThatSeveralSeriesHaveLeft(t *testing.T) {
	t.Parallel()
	s := leaving(map[int][]interval{
		3: {{0, dayLen}, {4 * dayLen, 5 * dayLen}},
		4: {{0, dayLen / 2}, {dayLen / 2, dayLen}, {5 * dayLen, 6 * dayLen}},
	})
	s.to = 9 * dayLen
	got := s.parts()
	want := []Part{
		{0, dayLen, []int64{103, 104}},
		{4 * dayLen, 5 * dayLen, []int64{103}},
		{5 * dayLen, 6 * dayLen, []int64{104}},
		{9 * dayLen, 10 * dayLen, s.q.Series},
	}
	if !slices.EqualFunc(got, want, func(a, b Part) bool { return a.From == b.From && a.To == b.To && slices.Equal(a.Series, b.Series) }) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// However much is left, the parts are it, and there are never more than days.
func TestPartsAreWhatIsLeftInFewPieces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		left, want := map[int][]interval{}, map[seriesTime]bool{}
		for range rapid.IntRange(0, 80).Draw(t, "stretches") {
			place, from := rapid.IntRange(0, 19).Draw(t, "place"), rapid.Int64Range(0, 9).Draw(t, "from")
			to := rapid.Int64Range(from+1, 10).Draw(t, "to")
			left[place] = append(left[place], interval{from * dayLen, to * dayLen})
			for day := from; day < to; day++ {
				want[seriesTime{place, day}] = true
			}
		}
		parts := leaving(left).parts()
		got := map[seriesTime]bool{}
		for _, p := range parts {
			for _, series := range p.Series {
				for day := p.From / dayLen; day < p.To/dayLen; day++ {
					at := seriesTime{int(series - 100), day}
					if got[at] {
						t.Fatalf("%v is there twice: %v", at, parts)
					}
					got[at] = true
				}
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if !slices.IsSortedFunc(parts, func(a, b Part) int { return cmp.Compare(a.From, b.From) }) || len(parts) > fewParts {
			t.Fatalf("%d parts: %v", len(parts), parts)
		}
	})
}
