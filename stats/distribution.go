package stats

import (
	"math"
	"slices"

	"github.com/readout-dev/readout/reading"
)

// Distribution holds the values of many readings, in no order: each of them, or a Sketch of them.
//
// What it answers depends on what was added and whether Spill was called, not on the order of that. The zero value is
// the distribution of none. Not safe for concurrent use, not even by readers: Quantile reorders the values.
type Distribution struct {
	values []float64
	sketch *Sketch // of readings that are not in values; nil if there are none
	asked  int     // quantiles of these values, up to manyQuantiles: the values are sorted then
}

// manyQuantiles is how many quantiles are found one by one: for more it is quicker to sort the values once.
const manyQuantiles = 20

// Grow makes room for n more values, so that AddValues need not.
func (d *Distribution) Grow(n int) { d.values = slices.Grow(d.values, n) }

// AddValues adds the values of rs, which are finite.
func (d *Distribution) AddValues(rs []reading.Reading) {
	had := len(d.values)
	d.asked = 0
	d.values = slices.Grow(d.values, len(rs))[:had+len(rs)]
	added := d.values[had:]
	for i := range rs {
		added[i] = rs[i].Value + 0 // -0 becomes 0, which it equals
	}
}

// AddSketch adds the readings of s, which stays as it is.
func (d *Distribution) AddSketch(s *Sketch) {
	if s.Count() == 0 {
		return
	}
	if d.sketch == nil {
		d.sketch = new(Sketch)
	}
	d.sketch.Merge(s)
}

// AddEncoded adds the readings of the sketch whose bytes are src, see Sketch.Append. It gives the errors of ParseSketch; after
// one, d is void.
func (d *Distribution) AddEncoded(src []byte) error {
	if d.sketch == nil {
		d.sketch = new(Sketch)
	}
	return d.sketch.Absorb(src)
}

// Merge adds the readings of o, which stays as it is.
func (d *Distribution) Merge(o *Distribution) {
	d.values, d.asked = append(d.values, o.values...), 0
	if o.sketch != nil {
		d.AddSketch(o.sketch)
	}
}

// Count returns how many readings d holds.
func (d *Distribution) Count() int {
	n := len(d.values)
	if d.sketch != nil {
		n += int(d.sketch.Count())
	}
	return n
}

// Len returns how many values d keeps one by one, 8 bytes each: what Spill gives back.
func (d *Distribution) Len() int { return len(d.values) }

// Exact reports whether Quantile is exact.
func (d *Distribution) Exact() bool {
	if d.sketch == nil {
		return true
	}
	d.Spill()
	return d.sketch.Exact()
}

// Spill puts the values that are kept one by one into a sketch, which takes some kilobytes however many they are.
func (d *Distribution) Spill() {
	if len(d.values) == 0 {
		return
	}
	d.AddSketch(sketchOf(d.values))
	d.values = nil
}

// Quantile returns the value below which a share q of the readings lies, q from 0 to 1, as Sketch.Quantile does: NaN
// when there are none. From values it takes time in proportion to their number, and reorders them; asked for many, it sorts them,
// and reads the others off.
func (d *Distribution) Quantile(q float64) float64 {
	if d.sketch != nil {
		d.Spill()
		return d.sketch.Quantile(q)
	}
	if len(d.values) == 0 || math.IsNaN(q) {
		return math.NaN()
	}
	return d.quantile(min(max(q, 0), 1))
}

func (d *Distribution) quantile(q float64) float64 {
	if d.asked < manyQuantiles {
		d.asked++
		if d.asked < manyQuantiles {
			return quantileOf(d.values, q)
		}
		slices.Sort(d.values)
	}
	below, share := rankOf(q, len(d.values))
	if share == 0 {
		return d.values[below]
	}
	return between(d.values[below], d.values[below+1], share)
}

// each calls yield with the values and how many readings have them: those of a sketch that is not exact are the middles
// of its bins.
func (d *Distribution) each(yield func(value float64, count int64)) {
	if d.sketch != nil {
		d.Spill()
		d.sketch.each(yield)
		return
	}
	for _, v := range d.values {
		yield(v, 1)
	}
}
