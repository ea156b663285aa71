package reading

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/s2"
	"pgregory.net/rapid"
)

// identical compares bit for bit, so that -0 is not 0.
func identical(a, b []Reading) bool {
	return slices.EqualFunc(a, b, func(a, b Reading) bool {
		return a.Series == b.Series && a.Time == b.Time && math.Float64bits(a.Value) == math.Float64bits(b.Value)
	})
}

// seal makes columns an entry with a right checksum, so that tests reach what lies behind it.
func seal(flags byte, count int, columns ...byte) []byte {
	return sealVersion(version1, flags, count, columns...)
}

func sealVersion(version, flags byte, count int, columns ...byte) []byte {
	b := binary.AppendUvarint([]byte{version, 0, 0, 0, 0, flags}, uint64(count))
	b = append(b, columns...)
	binary.LittleEndian.PutUint32(b[1:], crc32.Checksum(b[checksumFrom:], castagnoli))
	return b
}

// formats are the ways to write readings, all of which Decode and Count read.
var formats = map[string]func(dst []byte, rs []Reading) []byte{"journal": Encode, "rest": Compact}

func TestReadingsComeBackBitForBit(t *testing.T) {
	t.Parallel()
	f := func(name string, rs ...Reading) {
		t.Helper()
		for format, encode := range formats {
			src := encode([]byte("before"), rs)[len("before"):]
			got, err := Decode([]Reading{{1, 2, 3}}, src)
			if err != nil || !identical(got[1:], rs) || got[0] != (Reading{1, 2, 3}) {
				t.Errorf("%s, %s: got %v, %v", name, format, got, err)
			}
			if n, err := Count(src); n != len(rs) || err != nil {
				t.Errorf("%s, %s: count %d, %v", name, format, n, err)
			}
		}
	}
	f("nothing")
	f("one reading", Reading{7, 1_763_719_200_000_000, 21.5})
	f("extremes", Reading{math.MinInt64, math.MinInt64, math.MaxFloat64}, Reading{math.MinInt64, math.MaxInt64, -math.MaxFloat64},
		Reading{math.MaxInt64, math.MinInt64, math.SmallestNonzeroFloat64}, Reading{math.MaxInt64, 0, math.Copysign(0, -1)},
		Reading{math.MaxInt64, math.MaxInt64, 0})
	f("regular by a microsecond", Reading{1, 1, 0}, Reading{1, 2, 0}, Reading{1, 3, 0})
	f("nearly regular by a microsecond", Reading{1, 1, 0}, Reading{1, 2, 0}, Reading{1, 4, 0})
	f("steps with a common divisor", Reading{1, 0, 1}, Reading{1, 6000, 2}, Reading{1, 10_000, 3}, Reading{1, 14_000, 3})
	f("same times in two series", Reading{1, 5, 1.25}, Reading{1, 9, 1e300}, Reading{2, 5, 0.1}, Reading{2, 9, 0.30000000000000004})
	f("integers at the edge of exactness", Reading{1, 1, 1<<53 - 1}, Reading{1, 2, 1 << 53}, Reading{1, 3, 1<<53 + 2}, Reading{2, 1, 1<<53 - 1})
	f("a scale for each series", Reading{1, 1, 5}, Reading{2, 1, 0.05}, Reading{3, 1, 1e-15}, Reading{4, 1, 1e-16}, Reading{5, 1, 900}, Reading{6, 1, 9e15})
	f("not numbers", Reading{1, 1, math.Inf(1)}, Reading{1, 2, math.Float64frombits(0x7ff8_dead_beef_0001)})
	f("gauges", gauges(1000, 10)...)
	f("a reading each", gauges(5000, 5000)...)
}

func anyReadings() *rapid.Generator[[]Reading] {
	series := rapid.OneOf(rapid.Int64Range(1, 4), rapid.Int64())
	at := rapid.OneOf(rapid.Int64Range(0, 9), rapid.Map(rapid.Int64Range(0, 99), func(n int64) int64 { return n * 60_000 }), rapid.Int64())
	value := rapid.OneOf(
		rapid.Map(rapid.IntRange(-9999, 9999), func(n int) float64 { return float64(n) / 100 }),
		rapid.Map(rapid.Float32(), func(v float32) float64 { return float64(v) }),
		rapid.Map(rapid.Uint64(), math.Float64frombits), rapid.Float64())
	return rapid.SliceOf(rapid.Custom(func(t *rapid.T) Reading {
		return Reading{series.Draw(t, "series"), at.Draw(t, "time"), value.Draw(t, "value")}
	}))
}

func TestAnyReadingsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := Sort(anyReadings().Draw(t, "readings"))
		for format, encode := range formats {
			got, err := Decode(nil, encode(nil, rs))
			if err != nil || !identical(got, rs) {
				t.Fatalf("%s: got %v, %v", format, got, err)
			}
		}
	})
}

// A pooled scratch holds what another entry left behind, a new one grows while it is filled.
func TestBytesDoNotDependOnScratch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := append(Sort(anyReadings().Draw(t, "readings")), Reading{math.MaxInt64, math.MaxInt64, 1})
		rs = Sort(rs)
		grown, used := new(scratch), new(scratch)
		used.encodeColumns(gauges(1000, 7))
		for i := range used.columns {
			used.columns[i] = 0xff
		}
		grown.encodeColumns(rs)
		used.encodeColumns(rs)
		if !slices.Equal(grown.columns, used.columns) {
			t.Fatalf("got %x and %x", grown.columns, used.columns)
		}
	})
}

func TestEncodePanicsOnWhatCouldNotBeReadAgain(t *testing.T) {
	t.Parallel()
	f := func(rs ...Reading) {
		t.Helper()
		for format, encode := range formats {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: no panic", format)
					}
				}()
				encode(nil, rs)
			}()
		}
	}
	f(Reading{2, 1, 0}, Reading{1, 1, 0})
	f(Reading{1, 2, 0}, Reading{1, 1, 0})
	f(Reading{1, 1, 0}, Reading{1, 1, 0})
	f(make([]Reading, MaxEntry+1)...)
}

func TestDecodeRefusesEveryDamagedByteAndLength(t *testing.T) {
	t.Parallel()
	for format, encode := range formats {
		for _, rs := range [][]Reading{gauges(4, 2), gauges(200, 10)} {
			src := encode(nil, rs)
			for i := range src {
				if _, err := Decode(nil, src[:i]); !errors.Is(err, ErrCorrupt) {
					t.Errorf("%s, cut at %d: %v", format, i, err)
				}
				bad := slices.Clone(src)
				bad[i] ^= 0x10
				if got, err := Decode(nil, bad); !errors.Is(err, ErrCorrupt) || len(got) > 0 {
					t.Errorf("%s, byte %d changed: %d readings, %v", format, i, len(got), err)
				}
			}
			if _, err := Decode(nil, append(src, 0)); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s, a byte more: %v", format, err)
			}
		}
	}
}

func TestDecodeRefusesForgedColumns(t *testing.T) {
	t.Parallel()
	regular, uneven, ints := byte(timesRegular), byte(timesUneven), byte(0)
	f := func(name string, count int, columns ...byte) {
		t.Helper()
		if got, err := Decode(nil, seal(0, count, columns...)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := Decode(nil, seal(0, 2, 1, 2, 2, regular|ints, 8, 1, 6, 6)); err != nil {
		t.Fatalf("the example is not well formed: %v", err)
	}
	f("no columns", 1)
	f("columns of nothing", 0, 1)
	f("no runs", 1, 0, 0, 0, 0)
	f("more runs than readings", 1, 2, 2, 2, regular, regular, 8, 8, 6, 6)
	f("series twice", 2, 2, 2, 0, regular, regular, 8, 8, 6, 6)
	f("series past the end", 2, 2, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, regular, regular, 8, 8, 6, 6)
	f("run of nothing", 2, 1, 2, 0, regular, 8, 1, 6, 6)
	f("runs too short", 3, 1, 2, 2, regular, 8, 1, 6, 6)
	f("runs too long", 2, 1, 2, 3, regular, 8, 1, 6, 6)
	f("no step", 2, 1, 2, 2, regular, 8, 0, 6, 6)
	f("same times as none", 1, 1, 2, timesSame, 6)
	f("a way to write times that is none", 2, 1, 2, 2, 3, 8, 1, 6, 6)
	f("uneven times of one reading", 1, 1, 2, uneven, 8, 1, 6)
	f("unit of nothing", 2, 1, 2, 2, uneven, 8, 0, 5, 6, 6)
	f("a way to write values that is none", 1, 1, 2, regular|40<<valuesShift, 8, 6, 6)
	f("nine bytes of a value", 1, 1, 2, regular|valuesXOR<<valuesShift, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	f("a value cut short", 1, 1, 2, regular|valuesXOR<<valuesShift, 8, 3, 1, 2)
	f("a value too few", 2, 1, 2, 2, regular, 8, 1, 6)
	f("a value too many", 2, 1, 2, 2, regular, 8, 1, 6, 6, 6)
	f("over the limit", MaxEntry+1, make([]byte, 100)...)
	if _, err := Decode(nil, seal(2, 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("unknown flag: %v", err)
	}
}

func TestDecodeRefusesColumnsCutShort(t *testing.T) {
	t.Parallel()
	s := new(scratch)
	for _, rs := range [][]Reading{
		gauges(20, 2), gauges(5, 5),
		{{1, 1, math.Pi}, {1, 1 << 40, math.E}},
		{{1, -1 << 40, 0.5}, {2, 5, 1e300}, {2, 900, 5}, {2, 1000, 5}},
	} {
		s.encodeColumns(rs)
		if _, err := Decode(nil, seal(0, len(rs), s.columns...)); err != nil {
			t.Fatal(err)
		}
		for i := range s.columns {
			if got, err := Decode(nil, seal(0, len(rs), s.columns[:i]...)); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%d of %d bytes: %v, %v", i, len(s.columns), got, err)
			}
		}
		// Enough bytes for the count to be credible, all of them the first half of a varint.
		forged := append(slices.Clone(s.columns), bytes.Repeat([]byte{0x80}, 100)...)
		for i := range s.columns {
			copy(forged[i:], bytes.Repeat([]byte{0x80}, len(s.columns)-i))
			if got, err := Decode(nil, seal(0, len(rs), forged...)); !errors.Is(err, ErrCorrupt) {
				t.Errorf("0x80 from %d: %v, %v", i, got, err)
			}
			copy(forged, s.columns)
		}
	}
}

func TestDecodeRefusesADamagedBlock(t *testing.T) {
	t.Parallel()
	block := s2.Encode(nil, bytes.Repeat([]byte("readings"), 20))
	block[2] ^= 0xff
	if _, err := Decode(nil, seal(flagS2, 1, block...)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v", err)
	}
}

// A few bytes of s2 can claim gigabytes.
func TestDecodeBoundsWhatABlockUnpacksTo(t *testing.T) {
	t.Parallel()
	bomb := s2.Encode(nil, make([]byte, maxColumns(MaxEntry)+1))
	if _, err := Decode(nil, seal(flagS2, MaxEntry, bomb...)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v", err)
	}
	claim := binary.AppendUvarint(nil, 1<<32-1)
	if _, err := Decode(nil, seal(flagS2, MaxEntry, claim...)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v", err)
	}
}

func TestCodecAllocatesNothingWhenThereIsRoom(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops items at random under the race detector")
	}
	for format, encode := range formats {
		for _, series := range []int{1, 10, 1000} {
			rs := gauges(1000, series)
			src := encode(make([]byte, 0, 1<<16), rs)
			back := make([]Reading, 0, 1000)
			if n := testing.AllocsPerRun(100, func() { src = encode(src[:0], rs) }); n > 0 {
				t.Errorf("%s, encoding %d series: %v allocations", format, series, n)
			}
			if n := testing.AllocsPerRun(100, func() { back, _ = Decode(back[:0], src) }); n > 0 {
				t.Errorf("%s, decoding %d series: %v allocations", format, series, n)
			}
		}
	}
}

var update = flag.Bool("update", false, "write golden files that are missing")

// The golden files are readings as they lie in people's databases: never change one. An encoder that writes other bytes
// is fine as long as these are read.
func TestGoldenBytesStayReadable(t *testing.T) {
	t.Parallel()
	f := func(name string, encode func([]byte, []Reading) []byte, rs []Reading) {
		t.Helper()
		if got, err := Decode(nil, golden(t, name, func() []byte { return encode(nil, rs) })); err != nil || !identical(got, rs) {
			t.Errorf("%s: %d readings, %v", name, len(got), err)
		}
	}
	const at = 1_763_719_200_000_000
	one := []Reading{{42, at, 21.5}}
	modes := []Reading{
		{-3, at, 21.37},
		{-3, at + 1_000_000, 21.38},
		{-3, at + 2_000_000, 21.36},
		{7, at, -0.5},
		{7, at + 1_000_000, 0.25},
		{7, at + 2_000_000, 1e6},
		{8, at, math.Pi},
		{8, at + 7000, math.Copysign(0, -1)},
		{8, at + 9000, math.SmallestNonzeroFloat64},
		{1 << 40, -5, 1 << 60},
	}
	var packed []Reading
	for s := range int64(40) {
		for i := range int64(25) {
			packed = append(packed, Reading{100 + 3*s, at + i*60_000_000 + s*1000*(i%3), float64(2000+s*i%17) / 100})
		}
	}
	f("empty.v1", Encode, nil)
	f("one.v1", Encode, one)
	f("modes.v1", Encode, modes)
	f("packed.v1", Encode, packed)
	f("empty.v2", Compact, nil)
	f("one.v2", Compact, one)
	f("modes.v2", Compact, modes)
	f("packed.v2", Compact, packed)
	f("features.v2", Compact, restFeatures())
}

// golden returns the bytes of a golden file; with -update it makes one that is missing.
func golden(t *testing.T, name string, make func() []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name)
	src, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && *update {
		src = make()
		err = os.WriteFile(path, src, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func FuzzDecode(f *testing.F) {
	for _, rs := range [][]Reading{nil, gauges(1, 1), gauges(6, 2), gauges(200, 5), restFeatures()} {
		for _, encode := range formats {
			src := encode(nil, rs)
			at := headerLen + len(binary.AppendUvarint(nil, uint64(len(rs))))
			f.Add(src[0] == version2, src[checksumFrom], len(rs), src[at:])
		}
	}
	f.Fuzz(func(t *testing.T, rest bool, flags byte, count int, columns []byte) {
		version := byte(version1)
		if rest {
			version = version2
		}
		src := sealVersion(version, flags, count&0xfff, columns...)
		rs, err := Decode(nil, src)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || len(rs) > 0 {
				t.Fatalf("%d readings, %v", len(rs), err)
			}
			return
		}
		for i := 1; i < len(rs); i++ {
			if Compare(rs[i-1], rs[i]) >= 0 {
				t.Fatalf("not sorted and distinct at %d: %v", i, rs)
			}
		}
		for format, encode := range formats {
			if again, err := Decode(nil, encode(nil, rs)); err != nil || !identical(again, rs) {
				t.Fatalf("%s: what was decoded does not come back: %v", format, err)
			}
		}
	})
}

func FuzzDecodeArbitraryBytes(f *testing.F) {
	f.Add(Encode(nil, gauges(6, 2)))
	f.Add(Compact(nil, gauges(6, 2)))
	f.Add([]byte{version1})
	f.Add([]byte{version2})
	f.Fuzz(func(t *testing.T, src []byte) {
		n, countErr := Count(src)
		if rs, err := Decode(nil, src); err == nil && (countErr != nil || n != len(rs)) {
			t.Fatalf("Count says %d, %v; Decode found %d", n, countErr, len(rs))
		}
	})
}
