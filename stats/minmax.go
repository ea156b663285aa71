package stats

import (
	"math/bits"

	"github.com/readout-dev/readout/reading"
)

// MinMax thins rs, readings of one series in the order of time, to at most n: the first, the last, and of each of
// (n-2)/2 buckets of equal width in time the least and the greatest, in the order of time; of equal ones the earliest.
// So no extreme is lost, and a chart of n/2 columns looks as if it were of all readings (U. Jugel and others, "M4: A
// Visualization-Oriented Time Series Data Aggregation", PVLDB 7:10, 2014, which adds first and last to each bucket).
//
// It returns rs itself when that has at most n readings, only the first and the last for n = 2 and 3, nothing but the
// first for n = 1, and nothing for less. Safe for concurrent use.
func MinMax(rs []reading.Reading, n int) []reading.Reading {
	if few, done := fewOf(rs, n); done {
		return few
	}
	first, last := rs[0], rs[len(rs)-1]
	buckets := uint64(n-2) / 2
	kept := append(make([]reading.Reading, 0, n), first)
	for rest := rs[1 : len(rs)-1]; len(rest) > 0 && buckets > 0; {
		end := bucketEnd(rest[0].Time, first.Time, last.Time, buckets)
		size := 1
		for size < len(rest) && uint64(rest[size].Time-first.Time) < end {
			size++
		}
		kept = appendExtremes(kept, rest[:size])
		rest = rest[size:]
	}
	return append(kept, last)
}

// bucketEnd returns how far from first the bucket of t ends, of so many from first to last; first < t < last.
func bucketEnd(t, first, last int64, buckets uint64) uint64 {
	width := uint64(last - first)
	high, low := bits.Mul64(uint64(t-first), buckets)
	bucket, _ := bits.Div64(high, low, width)
	high, low = bits.Mul64(bucket+1, width)
	end, rest := bits.Div64(high, low, buckets)
	if rest > 0 {
		end++
	}
	return end
}

// appendExtremes appends the least and the greatest of bucket, which is not empty, in the order of time.
func appendExtremes(kept, bucket []reading.Reading) []reading.Reading {
	least, greatest := 0, 0
	for i := range bucket {
		if bucket[i].Value < bucket[least].Value {
			least = i
		}
		if bucket[i].Value > bucket[greatest].Value {
			greatest = i
		}
	}
	kept = append(kept, bucket[min(least, greatest)])
	if least != greatest {
		kept = append(kept, bucket[max(least, greatest)])
	}
	return kept
}
