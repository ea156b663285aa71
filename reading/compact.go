package reading

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"
)

// The bytes of readings at rest, version 2. Version, checksum, flags and count are those of version 1 (codec.go), with
// one flag, bit 1: what follows the noise is one zstd frame. A run is the readings of one series. What is of one kind
// lies together for all runs, so that zstd finds like beside like; columns are as in compact_column.go.
//
//	noise    varint, how many bytes; the noise of all columns, in their order
//	runs     varint, how many
//	series   signed varint, the first run's; then the column of the distances to each next one (at least 1)
//	lengths  column  readings of each run
//	heads    column  how each run is written: see below
//	times            compact_time.go
//	values           compact_value.go
const (
	version2 = 2
	flagZstd = 1 << 1
)

// The head of a run.
const (
	headSameTimes = 1 << 0 // its times are those of the run before, which is as long
	headLevel     = 1 << 1 // its values lie around a level, and do not wander
	headScale     = 2      // from this bit on: the power of ten whose integers the values are, or scaleNone
	scaleNone     = 31     // the values are not written as integers
)

// restSpace is what encoding and decoding at rest need besides dst.
type restSpace struct {
	starts  []int32 // where each run begins, and the end of the last
	heads   []int64 // of each run
	numbers []int64 // the values as integers, in runs that have such
	column  []int64 // the column that is being written or read
	column2 []int64 // the one behind it, which goes with it
	words   []uint64
	misfits []int64 // places of values in runs of integers that are none
	noise   []byte  // what lies apart from the columns
	columns []byte
	packed  []byte
}

var restSpaces = sync.Pool{New: func() any { return new(restSpace) }}

// release returns s to the pool unless unusually many readings have bloated it.
func (s *restSpace) release() {
	const keep = 8 << 20
	wide := cap(s.heads) + cap(s.numbers) + cap(s.column) + cap(s.column2) + cap(s.words) + cap(s.misfits)
	if cap(s.noise)+cap(s.columns)+cap(s.packed)+4*cap(s.starts)+8*wide <= keep {
		restSpaces.Put(s)
	}
}

// Compact appends the bytes of rs for rest to dst and returns the extended slice: a fifth to a half less than Encode
// makes of them, for more work. Decode and Count read them, and every value comes back bit for bit. rs must be as Encode
// wants them; Compact panics where Encode does. It is made for about 1,000 readings of one series, or some thousand of
// many neighbouring ones. It allocates nothing when dst has room. Safe for concurrent use.
func Compact(dst []byte, rs []Reading) []byte {
	if len(rs) > MaxEntry {
		panic(fmt.Sprintf("reading: %d readings to compact at once, at most %d", len(rs), MaxEntry))
	}
	start := len(dst)
	dst = append(dst, version2, 0, 0, 0, 0, 0)
	dst = binary.AppendUvarint(dst, uint64(len(rs)))
	if len(rs) > 0 {
		s := restSpaces.Get().(*restSpace)
		s.encodeColumns(rs)
		body := s.columns
		if s.packed = packZstd(s.packed[:0], s.columns); pays(len(s.packed), len(body)) {
			body = s.packed
			dst[start+checksumFrom] |= flagZstd
		}
		dst = binary.AppendUvarint(dst, uint64(len(s.noise)))
		dst = append(append(dst, s.noise...), body...)
		s.release()
	}
	sum := crc32.Checksum(dst[start+checksumFrom:], castagnoli)
	binary.LittleEndian.PutUint32(dst[start+1:], sum)
	return dst
}

// pays reports whether packing saves more than a twentieth: less is not worth the time of unpacking it.
func pays(packed, plain int) bool { return packed < plain-plain/20 }

func (s *restSpace) encodeColumns(rs []Reading) {
	s.starts = splitRuns(s.starts[:0], rs)
	s.noise = s.noise[:0]
	runs := len(s.starts) - 1
	b := binary.AppendUvarint(s.columns[:0], uint64(runs))
	b = binary.AppendVarint(b, rs[0].Series)
	s.column, s.column2 = s.column[:0], s.column2[:0]
	for i := range runs {
		if i > 0 {
			s.column = append(s.column, rs[s.starts[i]].Series-rs[s.starts[i-1]].Series)
		}
		s.column2 = append(s.column2, int64(s.starts[i+1]-s.starts[i]))
	}
	b = s.appendColumn(b, s.column)
	b = s.appendColumn(b, s.column2)
	s.lookAtRuns(rs)
	s.column = append(s.column[:0], s.heads...)
	b = s.appendColumn(b, s.column)
	b = s.appendTimes(b, rs)
	s.columns = s.appendValues(b, rs)
}

// lookAtRuns sets the head of every run, and the numbers.
func (s *restSpace) lookAtRuns(rs []Reading) {
	s.heads = slices.Grow(s.heads[:0], len(s.starts))
	s.numbers = slices.Grow(s.numbers[:0], len(rs))[:len(rs)]
	s.misfits = s.misfits[:0]
	scale := 0
	var before []Reading
	for i := range len(s.starts) - 1 {
		run := rs[s.starts[i]:s.starts[i+1]]
		var head int64
		if sameTimes(run, before) {
			head = headSameTimes
		}
		if power, ok := s.integers(rs, i, scale); ok {
			scale = power
			head |= int64(power) << headScale
			if level(s.numbers[s.starts[i]:s.starts[i+1]]) {
				head |= headLevel
			}
		} else {
			head |= scaleNone << headScale
		}
		s.heads = append(s.heads, head)
		before = run
	}
}

// decodeRest appends the count readings of a body of version 2 to dst.
func decodeRest(dst []Reading, body []byte, count int, packed bool) ([]Reading, error) {
	if count == 0 {
		if len(body) > 0 || packed {
			return dst, corrupt("bytes after the end")
		}
		return dst, nil
	}
	c := cursor{b: body}
	noise := c.uvarint()
	if noise > uint64(len(c.b)) {
		return dst, corrupt("noise is missing")
	}
	c.noise, c.b = c.b[:noise], c.b[noise:]
	s := restSpaces.Get().(*restSpace)
	defer s.release()
	if packed {
		var err error
		if s.columns, err = unpackZstd(s.columns[:0], c.b, maxRest(count)); err != nil {
			return dst, err
		}
		c.b = s.columns
	}
	have := len(dst)
	dst = slices.Grow(dst, count)[:have+count]
	if err := s.decodeColumns(&c, dst[have:]); err != nil {
		return dst[:have], err
	}
	return dst, nil
}

// maxRest bounds the columns of count readings: each is in at most eight of them, with eight bytes.
func maxRest(count int) int { return 256 + 64*count }

func (s *restSpace) decodeColumns(c *cursor, rs []Reading) error {
	runs := c.uvarint()
	if runs == 0 || runs > uint64(len(rs)) {
		return corrupt("the number of runs is missing or wrong")
	}
	if !s.decodeRuns(c, rs, int(runs)) {
		return corrupt("series, lengths or heads of the runs are missing or wrong")
	}
	if !s.decodeTimes(c, rs) {
		return corrupt("times are missing or out of order")
	}
	if !s.decodeValues(c, rs) {
		return corrupt("values are missing or malformed")
	}
	if !c.done() {
		return corrupt("bytes after the end")
	}
	return nil
}

// decodeRuns sets s.starts, s.heads and the series of every reading.
func (s *restSpace) decodeRuns(c *cursor, rs []Reading, runs int) bool {
	series := unzigzag(c.uvarint())
	s.column = s.readColumn(c, s.column, runs-1)
	s.column2 = s.readColumn(c, s.column2, runs)
	s.heads = s.readColumn(c, s.heads, runs)
	if c.failed {
		return false
	}
	s.starts = append(slices.Grow(s.starts[:0], runs+1), 0)
	at := 0
	for i, length := range s.column2 {
		if length <= 0 || length > int64(len(rs)-at) {
			return false
		}
		if i > 0 {
			next := series + s.column[i-1]
			if next <= series { // none, or past the end of int64
				return false
			}
			series = next
		}
		for j := range rs[at : at+int(length)] {
			rs[at+j].Series = series
		}
		at += int(length)
		s.starts = append(s.starts, int32(at))
	}
	return at == len(rs)
}
