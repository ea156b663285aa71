package stats

import (
	"math"
	"math/bits"
	"slices"
)

// quantileOf returns the quantile q, from 0 to 1, of values, which it reorders and which are some: by the definition of
// Sketch.Quantile.
func quantileOf(values []float64, q float64) float64 {
	below, share := rankOf(q, len(values))
	low := nth(values, below)
	if share == 0 {
		return low
	}
	return between(low, least(values[below+1:]), share)
}

// rankOf returns between which of n sorted values the quantile q lies: that at below and the next, by how much of the way.
func rankOf(q float64, n int) (below int, share float64) {
	rank := q * float64(n-1)
	below = int(rank)
	return below, rank - float64(below)
}

// least compares by hand, as extremes does.
func least(values []float64) float64 {
	low := values[0]
	for _, v := range values {
		if v < low {
			low = v
		}
	}
	return low
}

const (
	fewToSort   = 24  // up to here sorting is quicker than selecting
	fewToSample = 600 // and here any pivot as quick as a good one
)

// nth returns the value that would be values[k] if values were sorted, and puts it there, lesser ones in front of it and
// greater ones behind: R. W. Floyd, R. L. Rivest, "Algorithm 489: The Algorithm SELECT", Communications of the ACM 18:3,
// 1975. It compares some n + min(k, n-k) times; if pivots turn out bad again and again, it sorts.
func nth(values []float64, k int) float64 {
	part, at := values, k
	for rounds := 4 * bits.Len(uint(len(values))); len(part) > fewToSort && rounds > 0; rounds-- {
		from, to := sample(len(part), at)
		if to-from < len(part) {
			nth(part[from:to], at-from)
		}
		low, high := partition(part, at)
		switch {
		case at < low:
			part = part[:low]
		case at >= high:
			part, at = part[high:], at-high
		default:
			return values[k]
		}
	}
	slices.Sort(part)
	return values[k]
}

// sample returns a stretch around k of n values, so large and so placed that its own value at k is near the one of all
// values, more often than not on the side that leaves fewer of them.
func sample(n, k int) (from, to int) {
	if n <= fewToSample {
		return 0, n
	}
	size := float64(n)
	s := math.Cbrt(size*size) / 2
	shift := math.Sqrt(math.Log(size)*s*(size-s)/size) / 2
	if k < n/2 {
		shift = -shift
	}
	from = max(0, int(float64(k)-float64(k)*s/size+shift))
	to = min(n, int(float64(k)+float64(n-k)*s/size+shift)+1)
	return min(from, k), max(to, k+1)
}

// partition moves the values less than values[k] to the front and those greater to the back, and returns where those
// between begin and end.
func partition(values []float64, k int) (low, high int) {
	pivot := values[k]
	last := len(values) - 1
	values[k], values[0] = values[0], pivot
	if values[last] > pivot {
		values[0], values[last] = values[last], pivot
	}
	i, j := 0, last
	for i < j {
		values[i], values[j] = values[j], values[i]
		i++
		j--
		for values[i] < pivot {
			i++
		}
		for values[j] > pivot {
			j--
		}
	}
	if values[0] == pivot {
		values[0], values[j] = values[j], values[0]
	} else {
		j++
		values[j], values[last] = values[last], values[j]
	}
	return j, j + 1
}
