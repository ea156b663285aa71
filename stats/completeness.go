package stats

import "time"

// Completeness returns the statistic that is the share of the expected readings that are there, from 0 to 1. Expected is
// one reading in each whole period from Bucket.From to Bucket.To, of each series; days and months are those of the zone
// (UTC if nil). Nothing where not even one period fits in, or b is nil; 0 for a bucket without readings. Readings too many
// in one place make up for missing ones in another.
func Completeness(every Period, zone *time.Location) Statistic {
	return func(b *Bucket) (v float64, ok bool) {
		if b == nil {
			return 0, false
		}
		expected := every.fits(b.From, b.To, zone) * int64(b.Series)
		if expected == 0 {
			return 0, false
		}
		return min(float64(b.Summary.Count)/float64(expected), 1), true
	}
}

// fits returns how many whole periods follow each other between two times.
func (p Period) fits(from, to int64, zone *time.Location) int64 {
	if p.mean() <= 0 || from >= to {
		return 0
	}
	n := (to - from) / p.mean()
	if p.Months == 0 && p.Days == 0 {
		return n
	}
	for n > 0 && p.Shift(from, int(n), zone) > to {
		n--
	}
	for p.Shift(from, int(n)+1, zone) <= to {
		n++
	}
	return n
}
