package reading

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func anyDeletions() *rapid.Generator[[]Deletion] {
	at := rapid.OneOf(rapid.Int64Range(0, 9), rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64}))
	return rapid.SliceOf(rapid.Custom(func(t *rapid.T) Deletion {
		return Deletion{at.Draw(t, "series"), at.Draw(t, "from"), at.Draw(t, "to")}
	}))
}

func TestAnyDeletionsComeBackInTheirOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ds := anyDeletions().Draw(t, "deletions")
		src := EncodeDeletions([]byte("before"), ds)
		got, err := DecodeDeletions(src[len("before"):])
		if err != nil || !slices.Equal(got, ds) || string(src[:len("before")]) != "before" {
			t.Fatalf("got %v, %v, want %v", got, err, ds)
		}
	})
}

func TestDeletingADeviceTakesFewBytes(t *testing.T) {
	t.Parallel()
	var ds []Deletion
	for series := range int64(1000) {
		ds = append(ds, DeleteAll(500+series))
	}
	if n := len(EncodeDeletions(nil, ds)); n > 3100 {
		t.Errorf("%d bytes for 1,000 series that follow each other", n)
	}
}

func TestDecodeDeletionsRefusesEveryDamagedByteAndLength(t *testing.T) {
	t.Parallel()
	src := EncodeDeletions(nil, []Deletion{{5, 10, 20}, DeleteAll(6), {-1, 0, 1 << 50}})
	for i := range src {
		if got, err := DecodeDeletions(src[:i]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut at %d: %v, %v", i, got, err)
		}
		bad := slices.Clone(src)
		bad[i] ^= 0x10
		if got, err := DecodeDeletions(bad); !errors.Is(err, ErrCorrupt) {
			t.Errorf("byte %d changed: %v, %v", i, got, err)
		}
	}
	if got, err := DecodeDeletions(append(src, 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte more: %v, %v", got, err)
	}
}

// sealDeletions gives body a right checksum, so that tests reach what lies behind it.
func sealDeletions(body ...byte) []byte {
	b := append([]byte{deletionsVersion1, 0, 0, 0, 0}, body...)
	binary.LittleEndian.PutUint32(b[1:], crc32.Checksum(b[deletionsHeaderLen:], castagnoli))
	return b
}

func TestDecodeDeletionsRefusesForgedCounts(t *testing.T) {
	t.Parallel()
	f := func(name string, body ...byte) {
		t.Helper()
		if got, err := DecodeDeletions(sealDeletions(body...)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := DecodeDeletions(sealDeletions(1, 2, 4, 6)); err != nil || !slices.Equal(got, []Deletion{{1, 2, 5}}) {
		t.Fatalf("the example is not well formed: %v, %v", got, err)
	}
	f("nothing")
	f("one too few", 2, 2, 4, 6)
	f("one too many", 0, 2, 4, 6)
	f("a range cut short", 1, 2, 4, 0x80)
	f("a start cut short", 1, 2, 0x80, 0x80)
	f("a series cut short", 1, 0x80, 0x80, 0x80)
	f("a count of the sky", 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)
	f("over the limit", append(binary.AppendUvarint(nil, MaxDeletions+1), make([]byte, 3*MaxDeletions+3)...)...)
}

func TestEncodeDeletionsPanicsOverTheLimit(t *testing.T) {
	t.Parallel()
	if ds, err := DecodeDeletions(EncodeDeletions(nil, make([]Deletion, MaxDeletions))); len(ds) != MaxDeletions || err != nil {
		t.Errorf("at the limit: %d, %v", len(ds), err)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	EncodeDeletions(nil, make([]Deletion, MaxDeletions+1))
}

func TestGoldenDeletionsStayReadable(t *testing.T) {
	t.Parallel()
	ds := []Deletion{
		{42, 1_763_719_200_000_000, 1_763_722_800_000_000},
		DeleteAll(43),
		DeleteAll(44),
		{-7, -5, 5},
		{1 << 40, 9, 9},
	}
	got, err := DecodeDeletions(golden(t, "deletions.v1", func() []byte { return EncodeDeletions(nil, ds) }))
	if err != nil || !slices.Equal(got, ds) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestDeleteAllCoversEveryTimeButTheLast(t *testing.T) {
	t.Parallel()
	d := DeleteAll(3)
	for _, at := range []int64{math.MinInt64, -1, 0, 1_763_719_200_000_000, math.MaxInt64 - 1} {
		if !d.Covers(at) {
			t.Errorf("%d is not covered", at)
		}
	}
}

func FuzzDecodeDeletions(f *testing.F) {
	f.Add(EncodeDeletions(nil, []Deletion{{5, 10, 20}, DeleteAll(6)})[deletionsHeaderLen:])
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, body []byte) {
		ds, err := DecodeDeletions(sealDeletions(body...))
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || ds != nil {
				t.Fatalf("%v, %v", ds, err)
			}
			return
		}
		if again, err := DecodeDeletions(EncodeDeletions(nil, ds)); err != nil || !slices.Equal(again, ds) {
			t.Fatalf("what was decoded does not come back: %v, %v", again, err)
		}
	})
}
