package analysis

import (
	"math"

	"github.com/readout-dev/readout/stats"
)

// Digests returns for each of some statistics a number that stays the same as long as it shows the same: for who wants to
// know whether another answer has changed. With extent what is shown may be completeness; see stats.Bucket.Digest. It is to
// be called before they are shown, since it reads all of their buckets.
func Digests(all []*Statistic, extent bool) []uint64 {
	known := map[*stats.Bucket]uint64{} // those between which gaps are filled are asked for many times
	ds := make([]uint64, len(all))
	for i, s := range all {
		ds[i] = s.digest(known, extent)
	}
	return ds
}

func (s *Statistic) digest(known map[*stats.Bucket]uint64, extent bool) uint64 {
	of := func(b *stats.Bucket) uint64 {
		d, ok := known[b]
		if !ok {
			d = b.Digest(extent)
			known[b] = d
		}
		return d
	}
	d := of(s.bucket)
	if s.bucket == nil {
		d = mix(mix(mix(d, of(s.gap.Before)), of(s.gap.After)), math.Float64bits(s.gap.Share))
	}
	if s.previous != nil {
		d = mix(d, s.previous.digest(known, extent))
	}
	return d
}

// mix makes one number of two, in whose order it matters.
func mix(a, b uint64) uint64 {
	z := (a ^ a>>31) * 0x9E3779B97F4A7C15
	z = (z + b ^ z>>29) * 0xBF58476D1CE4E5B9
	return z ^ z>>32
}

// NewEmpty returns what is shown of a bucket of a window whose readings are gone: count 0, and otherwise nothing.
func NewEmpty(start, end int64, w *stats.Window) *Statistic {
	return &Statistic{start: start, end: end, window: w, fill: stats.FillNull}
}
