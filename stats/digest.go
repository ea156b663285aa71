package stats

import (
	"hash/fnv"
	"math"
)

// Digest returns a number that is the same for buckets that show the same, in whatever order their readings were added, and
// another one, but for one in 2^64, for those that do not. From and To count only with extent: the part of a bucket that was
// asked for grows with time, without anything that came, and of all statistics only Completeness depends on it. It means
// nothing to other versions of the program.
func (b *Bucket) Digest(extent bool) uint64 {
	d := digest(1)
	if extent && b != nil {
		d.add(uint64(b.From))
		d.add(uint64(b.To))
	}
	if b.Empty() {
		return uint64(d)
	}
	s, l := &b.Summary, &b.Line
	d.numbers(float64(b.Series), float64(s.Count), s.Sum, s.M2, s.Min, s.Max, s.First, s.Last)
	d.numbers(float64(l.Series), l.Seconds, l.Area, l.Increase, l.Delta, l.Rate)
	d.numbers(l.Above...)
	d.numbers(l.Below...)
	d.add(b.Values.digest())
	d.add(digestLabels(b.Labels))
	if b.Coarse {
		d.add(1)
	}
	return uint64(d)
}

// digest is the digest of a sequence of numbers so far.
type digest uint64

// add takes in the next number, as splitmix64 does (G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom Number
// Generators", OOPSLA 2014).
func (d *digest) add(n uint64) {
	z := uint64(*d) + n + 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	*d = digest(z ^ z>>31)
}

func (d *digest) numbers(vs ...float64) {
	for _, v := range vs {
		d.add(math.Float64bits(v))
	}
}

// digest is a sum over the values, which have no order.
func (d *Distribution) digest() (sum uint64) {
	d.each(func(value float64, count int64) {
		one := digest(2)
		one.numbers(value)
		sum += uint64(one) * uint64(count)
	})
	return sum
}

// digestLabels is a sum over the values of all labels, which have no order.
func digestLabels(labels map[string]map[string]struct{}) (sum uint64) {
	for label, values := range labels {
		for value := range values {
			h := fnv.New64a()
			_, _ = h.Write([]byte(label + "\x00" + value))
			one := digest(3)
			one.add(h.Sum64())
			sum += uint64(one)
		}
	}
	return sum
}
