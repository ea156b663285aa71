package reading

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// restFeatures are readings for which Compact uses all that its format has.
func restFeatures() []Reading {
	rnd := rand.New(rand.NewPCG(3, 4))
	const at = 1_763_719_200_000_000
	var rs []Reading
	add := func(series int64, n int, when func(i int) int64, value func(i int) float64) {
		for i := range n {
			rs = append(rs, Reading{series, when(i), value(i)})
		}
	}
	beat := func(i int) int64 { return at + int64(i)*10_000_000 }
	jitter := make([]int64, 70)
	for i := range jitter {
		jitter[i] = int64(i)*10_000_000 + 1000*rnd.Int64N(500)
	}
	uneven := func(i int) int64 { return at + jitter[i] }
	add(10, 70, beat, func(int) float64 { return math.Round(1000*rnd.NormFloat64()) / 100 }) // around a level
	add(11, 70, beat, func(i int) float64 { return float64(i*i) / 10 })                      // the same times
	add(12, 70, uneven, func(i int) float64 { return float64(i) - 40 })                      // a sign
	add(13, 300, beat, func(int) float64 { return rnd.NormFloat64() })                       // no integers
	add(14, 10, uneven, func(int) float64 { return float64(rnd.Float32()) })                 // … with zeros below
	add(15, 3, func(i int) int64 { return at - int64(i-5)*int64(i-5) }, func(int) float64 { return 1e9 + 0.5 })
	add(16, 1, beat, func(int) float64 { return math.Inf(1) })
	add(17, 200, func(i int) int64 { return at + int64(i)*int64(i)*977 }, func(i int) float64 { // the odd one out
		switch i {
		case 20:
			return math.Copysign(0, -1)
		case 21, 150:
			return 0.30000000000000004
		case 199:
			return math.NaN()
		}
		return float64(i%7) / 10
	})
	return rs
}

func TestAllFeaturesComeBack(t *testing.T) {
	t.Parallel()
	rs := restFeatures()
	src := Compact(nil, rs)
	if got, err := Decode(nil, src); err != nil || !identical(got, rs) {
		t.Fatalf("got %v, %v", got, err)
	}
	s := new(restSpace)
	s.encodeColumns(rs)
	var heads int64
	for _, head := range s.heads {
		heads |= head
	}
	if heads&headSameTimes == 0 || heads&headLevel == 0 || heads>>headScale != scaleNone || len(s.misfits) == 0 || len(s.noise) == 0 {
		t.Errorf("the example lacks a feature: heads %v, %d misfits, %d bytes of noise", s.heads, len(s.misfits), len(s.noise))
	}
}

// anyFleet draws readings as devices send them: beats and jitter, decimals and noise, and a few oddities.
func anyFleet() *rapid.Generator[[]Reading] {
	return rapid.Custom(func(t *rapid.T) []Reading {
		f := fleet{
			series: rapid.IntRange(1, 40).Draw(t, "series"),
			each:   rapid.SampledFrom([]int{1, 2, 15, 16, 60, 300}).Draw(t, "each"),
			every:  time.Duration(rapid.SampledFrom([]int{1, 1000, 600_000}).Draw(t, "every")) * time.Millisecond,
			phase:  time.Duration(rapid.SampledFrom([]int{0, 10, 600_000}).Draw(t, "phase")) * time.Millisecond,
			memory: rapid.SampledFrom([]float64{0, 0.9, 1}).Draw(t, "memory"),
		}
		if f.every > time.Second {
			f.jitter = f.every / 3
		}
		rs := f.readings()
		for range rapid.IntRange(0, 20).Draw(t, "oddities") {
			i := rapid.IntRange(0, len(rs)-1).Draw(t, "place")
			rs[i].Value = rapid.SampledFrom([]float64{math.Copysign(0, -1), 0.30000000000000004, 1e300, math.Inf(-1), 5e-324}).Draw(t, "odd")
		}
		return rs
	})
}

func TestAnyFleetComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := anyFleet().Draw(t, "readings")
		if got, err := Decode(nil, Compact(nil, rs)); err != nil || !identical(got, rs) {
			t.Fatalf("%d readings came back as %d, %v", len(rs), len(got), err)
		}
	})
}

func TestCompactBytesDoNotDependOnScratch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := append(Sort(anyReadings().Draw(t, "readings")), Reading{math.MaxInt64, math.MaxInt64, 1})
		rs = Sort(rs)
		grown, used := new(restSpace), new(restSpace)
		used.encodeColumns(restFeatures())
		for i := range used.columns {
			used.columns[i] = 0xff
		}
		grown.encodeColumns(rs)
		used.encodeColumns(rs)
		if !slices.Equal(grown.columns, used.columns) || !slices.Equal(grown.noise, used.noise) {
			t.Fatalf("got %x %x and %x %x", grown.noise, grown.columns, used.noise, used.columns)
		}
	})
}

func TestCompactMeetsItsSizes(t *testing.T) {
	t.Parallel()
	for _, shape := range restShapes {
		rs := shape.fleet.readings()
		size := 0
		for piece := range slices.Chunk(rs, shape.piece) {
			size += len(Compact(nil, piece))
		}
		if got := float64(size) / float64(len(rs)); got > shape.most {
			t.Errorf("%s: %.3f bytes a reading, at most %.3f are expected", shape.name, got, shape.most)
		}
	}
}

// One value that is none of the decimals must not make all others cost eight bytes.
func TestOneOddValueCostsLittle(t *testing.T) {
	t.Parallel()
	rs := fleet{series: 1, each: 1000, every: time.Second, memory: 1}.readings()
	plain := len(Compact(nil, rs))
	for _, odd := range []float64{math.Copysign(0, -1), 0.30000000000000004, math.Pi, 1e300} {
		changed := slices.Clone(rs)
		changed[500].Value = odd
		if got := len(Compact(nil, changed)); got > plain+60 {
			t.Errorf("%v among decimals: %d bytes instead of %d", odd, got, plain)
		}
	}
}

// A sensor that counts in sixteenths of a degree has four decimals, and four bits of them.
func TestSixteenthsTakeFewBytes(t *testing.T) {
	t.Parallel()
	rs := fleet{series: 1, each: 1000, every: time.Second, memory: 1}.readings()
	for i := range rs {
		rs[i].Value = math.Round(rs[i].Value*16) / 16
	}
	if got := len(Compact(nil, rs)); got > 600 {
		t.Errorf("%d bytes for 1,000 readings", got)
	}
}

func TestDecodeRefusesForgedRest(t *testing.T) {
	t.Parallel()
	f := func(name string, count int, body ...byte) {
		t.Helper()
		if got, err := Decode(nil, sealVersion(version2, 0, count, body...)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	// No noise; 1 run, of series 1, of 2 readings, with head 0; first 1, step 4; start 3, change 1; no patches.
	valid := []byte{0, 1, 2, 0, 4, 0, 0, 0, 2, 0, 8, 0, 6, 0, 2, 0}
	change := func(at int, to ...byte) []byte {
		return slices.Replace(slices.Clone(valid), at, at+1, to...)
	}
	holds := func(name string, body []byte, want ...Reading) {
		t.Helper()
		got, err := Decode(nil, sealVersion(version2, 0, len(want), body...))
		if err != nil || !identical(got, want) {
			t.Fatalf("%s is not well formed: %v, %v", name, got, err)
		}
	}
	holds("the example", valid, Reading{1, 1, 3}, Reading{1, 5, 4})
	f("nothing", 2)
	f("bytes of nothing", 0, 0)
	f("noise that is not there", 2, change(0, 100)...)
	f("noise that nobody reads", 2, change(0, 1, 7)...)
	f("no runs", 2, change(1, 0)...)
	f("more runs than readings", 2, change(1, 3)...)
	f("a run too short", 2, change(4, 2)...)
	f("a run too long", 2, change(4, 6)...)
	f("a run of less than nothing", 2, change(4, 3)...)
	f("a word of nine bytes", 2, change(3, 9)...)
	f("more noise than bytes", 2, change(3, 0x10)...)
	f("same times as none", 2, change(6, 2*headSameTimes)...)
	f("a negative head", 2, change(6, 1)...)
	f("a power that is none", 2, change(6, 0x80, 1)...)
	f("no step", 2, change(10, 0)...)
	f("a step back", 2, change(10, 1)...)
	f("more patches than readings", 2, change(15, 3)...)
	f("a patch of no reading", 2, change(15, 1, 0, 4, 0)...)
	f("a patch before the first", 2, change(15, 1, 0, 1, 0)...)
	f("a patch of nine bytes", 2, change(15, 1, 0, 2, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9)...)
	f("a byte too many", 2, append(slices.Clone(valid), 0)...)

	words := []byte{0, 1, 2, 0, 4, 0, 0xf8, 1, 0, 2, 0, 8, 0, 0}
	holds("the example of words", words, Reading{1, 1, 0}, Reading{1, 5, 0})
	words[6] |= 2 * headLevel
	f("a level of no integers", 2, words...)

	// 2 runs, of series 1 and 2, of 2 readings and 1, with heads 0.
	two := []byte{0, 2, 2, 0, 2, 1, 4, 1, 0, 1, 0, 0, 0, 2, 0, 8, 0, 6, 0, 2, 0}
	holds("the example of two", two, Reading{1, 1, 3}, Reading{1, 5, 4}, Reading{2, 1, 3})
	f("series twice", 3, slices.Replace(slices.Clone(two), 4, 5, 0)...)
	f("series out of order", 3, slices.Replace(slices.Clone(two), 4, 5, 1)...)
	f("a run of nothing", 2, slices.Replace(slices.Clone(two), 9, 10, 3)...)
	f("same times as more", 3, slices.Replace(slices.Clone(two), 10, 12, 1, 2, 1, 1, 0)...)
	for i := range valid {
		f("cut short", 2, valid[:i]...)
	}
	if _, err := Decode(nil, sealVersion(version2, flagS2, 2, valid...)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a flag of another version: %v", err)
	}
	if _, err := Decode(nil, sealVersion(3, 0, 2, valid...)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a version from the future: %v", err)
	}
}

// Without the checksum, every damaged byte must still end in an error or in readings that are sorted and distinct.
func TestDecodeSurvivesDamageBehindTheChecksum(t *testing.T) {
	t.Parallel()
	rs := restFeatures()
	src := Compact(nil, rs)
	at := headerLen + 2
	for i := at; i < len(src); i++ {
		for _, flip := range []byte{1, 0x80, 0xff} {
			body := slices.Clone(src[at:])
			body[i-at] ^= flip
			got, err := Decode(nil, sealVersion(version2, flagZstd, len(rs), body...))
			if err != nil && !errors.Is(err, ErrCorrupt) || err == nil && !ascending(got) {
				t.Errorf("byte %d: %d readings, %v", i, len(got), err)
			}
		}
	}
}

func TestDecodeBoundsWhatAFrameUnpacksTo(t *testing.T) {
	t.Parallel()
	f := func(name string, frame []byte) {
		t.Helper()
		if _, err := Decode(nil, sealVersion(version2, flagZstd, 10, append([]byte{0}, frame...)...)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("a bomb", packZstd(nil, make([]byte, maxRest(10)+1)))
	f("nothing", nil)
	f("no frame", []byte("readings, readings, readings"))
	f("a damaged one", packZstd(nil, bytes.Repeat([]byte("readings"), 20))[:30])
	small := packZstd(nil, make([]byte, 100))
	f("two", append(slices.Clone(small), small...))
	streamed := new(bytes.Buffer)
	w, err := zstd.NewWriter(streamed, zstd.WithEncoderCRC(false))
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if _, err := w.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f("one that does not tell its length", streamed.Bytes())
}

// A few bytes can claim MaxEntry readings of a constant: they may take the memory that so many take, and no more.
func TestConstantsMayBeMany(t *testing.T) {
	t.Parallel()
	rs := make([]Reading, MaxEntry)
	for i := range rs {
		rs[i] = Reading{1, int64(i) * 1000, 21.5}
	}
	src := Compact(nil, rs)
	if got, err := Decode(nil, src); err != nil || len(got) != MaxEntry || len(src) > 64 {
		t.Errorf("%d readings of %d bytes, %v", len(got), len(src), err)
	}
	forged := sealVersion(version2, src[checksumFrom], MaxEntry+1, src[headerLen+len(binary.AppendUvarint(nil, MaxEntry)):]...)
	if _, err := Decode(nil, forged); !errors.Is(err, ErrCorrupt) {
		t.Errorf("one more: %v", err)
	}
}
