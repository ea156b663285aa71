package reading

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
)

// The bytes of an entry of the journal, version 1; those of readings at rest, version 2, are in compact.go. Integers are
// LEB128 varints, signed ones zigzagged.
//
//	version   1 byte    1
//	checksum  4 bytes   CRC-32C of everything after it, little-endian
//	flags     1 byte    bit 0: the columns are one s2 block
//	count     varint    readings in the entry
//	columns             absent when count is 0
//
// The columns follow each other without gaps. A run is the readings of one series.
//
//	runs      varint    how many
//	series    varints   the first run's series (signed), then the distance to each next one (at least 1)
//	lengths   varints   readings of each run; absent when there are as many runs as readings
//	heads     bytes     one a run: bits 0–1 how its times are written (codec_time.go), bits 2–7 its values (codec_value.go)
//	times               run after run
//	values              run after run
const (
	version1     = 1
	headerLen    = 6 // version, checksum and flags
	checksumFrom = 5
	flagS2       = 1 << 0
)

// MaxEntry is how many readings one entry holds at most.
const MaxEntry = 1 << 20

// maxColumns bounds the unpacked columns of an entry of count readings: each takes at most 46 bytes there.
func maxColumns(count int) int { return 64 + 46*count }

// minPacked is the shortest body that s2 is tried on.
const minPacked = 48

// ErrCorrupt is wrapped by every error of Decode, Count and DecodeDeletions: the bytes are not what they should be, or are
// damaged.
var ErrCorrupt = errors.New("corrupt readings")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// scratch is what encoding and decoding need besides dst; it is pooled because entries are many and short-lived.
type scratch struct {
	starts  []int32 // where each run begins, and the end of the last
	numbers []int64 // the integers of one run
	columns []byte
	packed  []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// release returns s to the pool unless an unusually large entry has bloated it.
func (s *scratch) release() {
	const keep = 4 << 20
	if cap(s.columns)+cap(s.packed)+4*cap(s.starts)+8*cap(s.numbers) <= keep {
		scratches.Put(s)
	}
}

// Encode appends the bytes of an entry that holds rs to dst and returns the extended slice. rs must be sorted and
// distinct (see Sort) and hold at most MaxEntry readings; Encode panics otherwise. Every value comes back bit for bit.
// It allocates nothing when dst has room. Safe for concurrent use.
func Encode(dst []byte, rs []Reading) []byte {
	if len(rs) > MaxEntry {
		panic(fmt.Sprintf("reading: %d readings in one entry, at most %d", len(rs), MaxEntry))
	}
	start := len(dst)
	dst = append(dst, version1, 0, 0, 0, 0, 0)
	dst = binary.AppendUvarint(dst, uint64(len(rs)))
	if len(rs) > 0 {
		s := scratches.Get().(*scratch)
		s.encodeColumns(rs)
		body := s.columns
		if packed := s.pack(); len(packed) < len(body) {
			body = packed
			dst[start+checksumFrom] |= flagS2
		}
		dst = append(dst, body...)
		s.release()
	}
	sum := crc32.Checksum(dst[start+checksumFrom:], castagnoli)
	binary.LittleEndian.PutUint32(dst[start+1:], sum)
	return dst
}

// pack returns s.columns as an s2 block, or s.columns itself when they are too short to try.
func (s *scratch) pack() []byte {
	if len(s.columns) < minPacked {
		return s.columns
	}
	s.packed = slices.Grow(s.packed[:0], s2.MaxEncodedLen(len(s.columns)))
	return s2.Encode(s.packed[:cap(s.packed)], s.columns)
}

func (s *scratch) encodeColumns(rs []Reading) {
	s.starts = splitRuns(s.starts[:0], rs)
	runs := len(s.starts) - 1
	b := binary.AppendUvarint(s.columns[:0], uint64(runs))
	b = binary.AppendVarint(b, rs[0].Series)
	for i := 1; i < runs; i++ {
		b = appendUvarint(b, uint64(rs[s.starts[i]].Series-rs[s.starts[i-1]].Series))
	}
	if runs < len(rs) {
		for i := range runs {
			b = appendUvarint(b, uint64(s.starts[i+1]-s.starts[i]))
		}
	}
	heads := len(b)
	b = slices.Grow(b, runs)[:heads+runs]
	b = s.appendTimes(b, heads, rs)
	b = s.appendValues(b, heads, rs)
	s.columns = b
}

// splitRuns appends where each run of rs begins, and the end of the last, to starts. It panics when rs is not sorted and
// distinct: such an entry could not be read again.
func splitRuns(starts []int32, rs []Reading) []int32 {
	for from := 0; from < len(rs); {
		starts = append(starts, int32(from))
		series, last, to := rs[from].Series, rs[from].Time, from+1
		for to < len(rs) && rs[to].Series == series && rs[to].Time > last {
			last = rs[to].Time
			to++
		}
		if to < len(rs) && rs[to].Series <= series {
			panic("reading: Encode of readings that are not sorted and distinct")
		}
		from = to
	}
	return append(starts, int32(len(rs)))
}

// Count returns how many readings src, of Encode or Compact, holds. It reads the head alone: what follows may still be damaged.
func Count(src []byte) (int, error) {
	n, _, err := head(src)
	return n, err
}

// flagOf is the one flag of each version.
var flagOf = [...]byte{version1: flagS2, version2: flagZstd}

// head returns the count of readings and where the columns begin.
func head(src []byte) (count, columns int, err error) {
	if len(src) < headerLen+1 {
		return 0, 0, corrupt("%d bytes are too few", len(src))
	}
	if src[0] != version1 && src[0] != version2 {
		return 0, 0, corrupt("format version %d is unknown", src[0])
	}
	if flags := src[checksumFrom]; flags != 0 && flags != flagOf[src[0]] {
		return 0, 0, corrupt("flags %#x are unknown", flags)
	}
	n, width := binary.Uvarint(src[headerLen:])
	if width <= 0 || n > MaxEntry {
		return 0, 0, corrupt("the count is missing or too large")
	}
	return int(n), headerLen + width, nil
}

// Decode appends the readings of src, of Encode or Compact, to dst and returns the extended slice: sorted by (series,
// time) and distinct. Damaged, missing or trailing bytes give an error that wraps ErrCorrupt, and dst as it was. Whatever
// src holds, Decode does not panic, and takes at most some 160 bytes for each reading that Count tells, of which there are at
// most MaxEntry. It allocates nothing when dst has room. Safe for concurrent use.
func Decode(dst []Reading, src []byte) ([]Reading, error) {
	count, at, err := head(src)
	if err != nil {
		return dst, err
	}
	if crc32.Checksum(src[checksumFrom:], castagnoli) != binary.LittleEndian.Uint32(src[1:]) {
		return dst, corrupt("the checksum does not match")
	}
	columns, packed := src[at:], src[checksumFrom] != 0
	if src[0] == version2 {
		return decodeRest(dst, columns, count, packed)
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	if packed {
		if columns, err = s.unpack(columns, maxColumns(count)); err != nil {
			return dst, err
		}
	}
	if count == 0 {
		if len(columns) > 0 {
			return dst, corrupt("bytes after the end")
		}
		return dst, nil
	}
	// Each reading has at least one byte among the values, so a forged count cannot make dst grow beyond measure.
	if count > len(columns) {
		return dst, corrupt("%d readings in %d bytes", count, len(columns))
	}
	have := len(dst)
	dst = slices.Grow(dst, count)
	if err := s.decodeColumns(dst[have:have+count], columns); err != nil {
		return dst[:have], err
	}
	return dst[:have+count], nil
}

func (s *scratch) unpack(block []byte, limit int) ([]byte, error) {
	n, err := s2.DecodedLen(block)
	if err != nil || n > limit {
		return nil, corrupt("the s2 block has no credible length")
	}
	s.columns = slices.Grow(s.columns[:0], n)
	columns, err := s2.Decode(s.columns[:cap(s.columns)], block)
	if err != nil {
		return nil, corrupt("the s2 block is damaged")
	}
	return columns, nil
}

// decodeColumns fills rs, which is not empty, from b.
func (s *scratch) decodeColumns(rs []Reading, b []byte) error {
	runs, p := uvarint(b, 0)
	if p < 0 || runs == 0 || runs > uint64(len(rs)) {
		return corrupt("the number of runs is missing or wrong")
	}
	p, err := s.decodeRuns(rs, b, p, int(runs))
	if err != nil {
		return err
	}
	if len(b)-p < int(runs) {
		return corrupt("heads are missing")
	}
	heads := b[p : p+int(runs)]
	if p = s.decodeTimes(rs, heads, b, p+int(runs)); p < 0 {
		return corrupt("times are missing or out of order")
	}
	if p = s.decodeValues(rs, heads, b, p); p < 0 {
		return corrupt("values are missing or malformed")
	}
	if p != len(b) {
		return corrupt("bytes after the end")
	}
	return nil
}

// decodeRuns sets s.starts and the series of every reading, and returns where the heads begin.
func (s *scratch) decodeRuns(rs []Reading, b []byte, p, runs int) (int, error) {
	ids := p
	for range runs {
		if p = skipUvarint(b, p); p < 0 {
			return 0, corrupt("series are missing")
		}
	}
	lengths := p
	starts := append(slices.Grow(s.starts[:0], runs+1), 0)
	at := 0
	for range runs {
		length := uint64(1)
		if runs < len(rs) {
			if length, lengths = uvarint(b, lengths); lengths < 0 || length == 0 || length > uint64(len(rs)-at) {
				return 0, corrupt("the runs' lengths are missing or wrong")
			}
		}
		at += int(length)
		starts = append(starts, int32(at))
	}
	s.starts = starts
	if at != len(rs) {
		return 0, corrupt("the runs hold %d readings of %d", at, len(rs))
	}
	first, p := uvarint(b, ids)
	series := unzigzag(first)
	for i := range runs {
		if i > 0 {
			var d uint64
			d, p = uvarint(b, p)
			next := series + int64(d)
			if next <= series { // d is 0, or the sum passes the end of int64
				return 0, corrupt("series are out of order")
			}
			series = next
		}
		for j := starts[i]; j < starts[i+1]; j++ {
			rs[j].Series = series
		}
	}
	return lengths, nil
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)
}
