package ingest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/internal/fault"
)

func TestStringsMeanWhatTheStandardLibrarySays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", "")
		plain, _ := json.Marshal(want)
		for _, quoted := range []string{string(plain), allEscaped(want)} {
			var buf []byte
			body := `["` + `",` + quoted + `]`
			got, next, f := text([]byte(body), 4, &buf)
			if f != nil || string(got) != want || next != len(body)-1 {
				t.Fatalf("%s: got %q to %d, %v", quoted, got, next, f)
			}
			if end := skipString([]byte(body), 4); end != next {
				t.Fatalf("%s: skipped to %d, read to %d", quoted, end, next)
			}
		}
	})
}

func allEscaped(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, `\u%04X`, u)
	}
	return `"` + b.String() + `"`
}

func TestStringsWithShortEscapes(t *testing.T) {
	t.Parallel()
	var buf []byte
	if got, _, f := text([]byte(`"a\"\\\/\b\f\n\r\tz"`), 0, &buf); f != nil || string(got) != "a\"\\/\b\f\n\r\tz" {
		t.Errorf("got %q, %v", got, f)
	}
}

// Wherever a body is cut off, it is refused, whatever lies behind it in memory.
func TestBodiesCutShortAreMalformed(t *testing.T) {
	t.Parallel()
	bodies := []string{
		string(rowsBody(2)), string(objectsBody(8)), string(columnsBody(3)),
		withFields(`"metric":"a\u00e9\n\ud83d\ude00ü","value":-1.5e-7 , "labels":{"a" : "1", "b":"2"}`),
	}
	for _, body := range bodies {
		var d Decoder
		for i := 1; i < len(body); i++ {
			_, err := d.Decode([]byte(body)[:i], Options{Now: benchNow})
			_, _, partialErr := d.DecodePartial([]byte(body)[:i], Options{Now: benchNow})
			// A fault of an item may come first in the strict reading.
			if !fault.Is(partialErr, fault.Malformed) || err == nil || fault.Is(err, fault.Internal) {
				t.Errorf("%s\n%v, partially %v", body[:i], err, partialErr)
			}
		}
	}
}
