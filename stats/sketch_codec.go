package stats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/readout-dev/readout/reading"
)

// The bytes of a sketch. The first says which form follows; a new version is a new form.
//
//	exactForm   an entry of reading.Encode with a reading for each distinct value, whose time is how many readings have
//	            this value or a lesser one
//	binsForm    least value, greatest value (8 bytes each, little-endian), varint, how many readings, then a DDSketch in
//	            its native encoding, without its mapping: cubically interpolated, relative accuracy 0.01
const (
	exactForm = 1
	binsForm  = 2
)

// ErrCorrupt is wrapped by every error of ParseSketch.
var ErrCorrupt = errors.New("corrupt sketch")

// maxCount bounds the readings of a sketch, so that float64 counts them exactly.
const maxCount = 1 << 53

// Append appends the bytes of the sketch to dst and returns the extended slice: the same for sketches of the same values.
func (s *Sketch) Append(dst []byte) []byte {
	if s.bins == nil {
		return reading.Encode(append(dst, exactForm), s.cumulated())
	}
	dst = append(dst, binsForm)
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(s.min))
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(s.max))
	dst = binary.AppendUvarint(dst, uint64(s.count))
	s.bins.Encode(&dst, true)
	return dst
}

func (s *Sketch) cumulated() []reading.Reading {
	rs := make([]reading.Reading, len(s.exact))
	var upTo int64
	for i, c := range s.exact {
		upTo += c.count
		rs[i] = reading.Reading{Time: upTo, Value: c.value}
	}
	return rs
}

// ParseSketch returns the sketch whose bytes are src. Damaged bytes give an error that wraps ErrCorrupt, or a sketch
// within the bounds of any other; whatever src holds, ParseSketch does not panic, and takes at most some 2 MB beside 28
// bytes for each byte of src.
func ParseSketch(src []byte) (*Sketch, error) {
	if len(src) == 0 {
		return nil, corrupt("no bytes")
	}
	switch src[0] {
	case exactForm:
		return parseExact(src[1:])
	case binsForm:
		return parseBins(src[1:])
	}
	return nil, corrupt("form %d is unknown", src[0])
}

func parseExact(src []byte) (*Sketch, error) {
	n, err := reading.Count(src)
	if err != nil {
		return nil, corrupt("%w", err)
	}
	if n > MaxExact {
		return nil, corrupt("%d distinct values", n)
	}
	var block [MaxExact]reading.Reading
	rs, err := reading.Decode(block[:0], src)
	if err != nil {
		return nil, corrupt("%w", err)
	}
	s := &Sketch{exact: make([]valueCount, n)}
	for i, r := range rs {
		if r.Series != 0 || r.Time <= s.count || r.Time > maxCount {
			return nil, corrupt("counts are out of order")
		}
		if !finite(r.Value) || i > 0 && r.Value <= rs[i-1].Value {
			return nil, corrupt("values are out of order")
		}
		s.exact[i] = valueCount{r.Value, r.Time - s.count}
		s.count = r.Time
	}
	if n > 0 {
		s.min, s.max = rs[0].Value, rs[n-1].Value
	}
	return s, nil
}

func parseBins(src []byte) (*Sketch, error) {
	s, bins, err := parseEnds(src)
	if err != nil {
		return nil, err
	}
	s.bins = newBins()
	if err := mergeBins(s.bins, bins, float64(s.count)); err != nil {
		return nil, err
	}
	return &s, nil
}

// parseEnds reads what stands before the bins.
func parseEnds(src []byte) (s Sketch, bins []byte, err error) {
	if len(src) < 16 {
		return s, nil, corrupt("%d bytes are too few", len(src))
	}
	s.min = math.Float64frombits(binary.LittleEndian.Uint64(src))
	s.max = math.Float64frombits(binary.LittleEndian.Uint64(src[8:]))
	if !finite(s.min) || !finite(s.max) || s.min > s.max {
		return s, nil, corrupt("the least and the greatest value are none")
	}
	count, width := binary.Uvarint(src[16:])
	if width <= 0 || count == 0 || count > maxCount {
		return s, nil, corrupt("the count of readings is missing or wrong")
	}
	s.count = int64(count)
	return s, src[16+width:], nil
}

// Absorb adds the readings of the sketch whose bytes are src: what ParseSketch and Merge do, in a fraction of the time and
// without memory of its own where neither sketch is exact. It gives the errors of ParseSketch; after one, s is void.
func (s *Sketch) Absorb(src []byte) error {
	if len(s.exact) > 0 || len(src) == 0 || src[0] != binsForm {
		other, err := ParseSketch(src)
		if err == nil {
			s.Merge(other)
		}
		return err
	}
	other, bins, err := parseEnds(src[1:])
	if err != nil {
		return err
	}
	if s.bins == nil {
		s.bins, s.min, s.max = newBins(), other.min, other.max
	}
	s.count += other.count
	s.min, s.max = min(s.min, other.min), max(s.max, other.max)
	return mergeBins(s.bins, bins, float64(other.count))
}

// credible reports whether count is a number of readings.
func credible(count float64) bool {
	return count >= 1 && count <= maxCount && count == math.Trunc(count)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)
}
