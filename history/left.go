package history

import (
	"cmp"
	"slices"
)

// parts returns what is left, as parts: as few as there are different stretches, or different moments at which one begins or
// ends, if these are fewer.
func (s *summing) parts() []Part {
	if end := s.q.Bounds[len(s.q.Bounds)-1]; s.to < end {
		today := interval{max(s.from, s.to), end}
		for place := range s.left {
			s.leave(place, today)
		}
	}
	for place := range s.left {
		s.left[place] = union(s.left[place])
	}
	byStretch := s.partsByStretch()
	if len(byStretch) <= fewParts {
		return byStretch
	}
	if byTime := s.partsByTime(); len(byTime) < len(byStretch) {
		return byTime
	}
	return byStretch
}

// fewParts is so few that looking for fewer is not worth it.
const fewParts = 16

// union returns intervals in order, with those joined that overlap or touch. It uses them up.
func union(of []interval) []interval {
	slices.SortFunc(of, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	joined := of[:0]
	for _, o := range of {
		if n := len(joined); n > 0 && o.from <= joined[n-1].to {
			joined[n-1].to = max(joined[n-1].to, o.to)
		} else {
			joined = append(joined, o)
		}
	}
	return joined
}

// partsByStretch makes a part of all series that have the same stretch left.
func (s *summing) partsByStretch() (parts []Part) {
	series := make(map[interval][]int64)
	for place, left := range s.left {
		for _, of := range left {
			series[of] = append(series[of], s.q.Series[place])
		}
	}
	for of, some := range series {
		parts = append(parts, Part{of.from, of.to, some})
	}
	slices.SortFunc(parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Series[0], b.Series[0]))
	})
	return parts
}

// partsByTime cuts time wherever a stretch of some series begins or ends.
func (s *summing) partsByTime() (parts []Part) {
	var cuts []int64
	for _, left := range s.left {
		for _, of := range left {
			cuts = append(cuts, of.from, of.to)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	series := make([][]int64, len(cuts))
	for place, left := range s.left {
		for _, of := range left {
			for i, _ := slices.BinarySearch(cuts, of.from); cuts[i] < of.to; i++ {
				series[i] = append(series[i], s.q.Series[place])
			}
		}
	}
	for i, some := range series {
		if len(some) == 0 {
			continue
		}
		if n := len(parts); n > 0 && parts[n-1].To == cuts[i] && slices.Equal(parts[n-1].Series, some) {
			parts[n-1].To = cuts[i+1]
		} else {
			parts = append(parts, Part{cuts[i], cuts[i+1], some})
		}
	}
	return parts
}
