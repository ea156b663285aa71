package ingest

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
)

// surrogate matches what encoding/json does not tell apart: an escape of half a character, paired or not.
var surrogate = regexp.MustCompile(`(?i)\\ud[89a-f]`)

func FuzzDecode(f *testing.F) {
	for _, c := range benchBodies {
		f.Add(c.make(4), byte(0), "")
	}
	for _, body := range acceptedBodies {
		f.Add([]byte(body), byte(1), "d")
	}
	for _, c := range refusedBodies {
		f.Add([]byte(c.body), byte(2), "")
	}
	var d Decoder // used for all inputs, so that what one leaves behind meets the next
	f.Fuzz(func(t *testing.T, body []byte, precision byte, device string) {
		opt := Options{Now: benchNow, Precision: Precision(precision % 4), Device: device, Max: 1000}
		batch, err := d.Decode(body, opt)
		if fault.Is(err, fault.Internal) {
			t.Fatal(err)
		}
		var got []sent
		if err == nil {
			got = sentOf(batch)
		}
		if !surrogate.Match(body) {
			want, refused := reference(body, opt)
			if (err == nil) != (refused == nil) || err == nil && !slices.EqualFunc(got, want, sameSent) {
				t.Fatalf("decoded %v, %v\nreference %v, %v", got, err, want, refused)
			}
		}
		checkPartial(t, &d, body, opt, got, err)
	})
}

func sameSent(a, b sent) bool {
	return a.Series == b.Series && a.time == b.time && math.Float64bits(a.value) == math.Float64bits(b.value)
}

// checkPartial compares a partial decoding with the strict one of the same body, which gave want or err.
func checkPartial(t *testing.T, d *Decoder, body []byte, opt Options, want []sent, err error) {
	batch, refused, partialErr := d.DecodePartial(body, opt)
	switch {
	case err == nil && (partialErr != nil || len(refused) > 0 || !slices.EqualFunc(sentOf(batch), want, sameSent)):
		t.Fatalf("the body is right, but partially decoded it is refused: %v, %v", refused, partialErr)
	case err != nil && partialErr == nil:
		if len(refused) == 0 {
			t.Fatalf("the body is refused, but no item of it: %v", err)
		}
		strict, first := fault.Of(err), refused[0]
		if strict.Index == nil || *strict.Index != first.Index {
			t.Fatalf("strictly refused: %v; first item refused: %v", strict, first)
		}
		for _, s := range sentOf(batch) {
			if s.Check() != nil {
				t.Fatalf("kept what may not be stored: %v", s)
			}
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0", "21.5", "1e308", "5e-324", "9007199254740993", "0.1", "123456789012345678901234567890", "1e400", "1e-400"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		v, next, flt := number(s, 0)
		valid := jsonNumber.Match(s)
		if !valid {
			if flt == nil && next == len(s) {
				t.Fatalf("%q is not a number of JSON", s)
			}
			return
		}
		want, err := referenceNumber(bytes.Clone(s))
		if (err == nil) != (flt == nil) || err == nil && (math.Float64bits(v) != math.Float64bits(want) || next != len(s)) {
			t.Fatalf("%q: %v (%d, %v), want %v, %v", s, v, next, flt, want, err)
		}
	})
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
