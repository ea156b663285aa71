package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
)

func TestStrictDecodingRefusesWhatWouldBeChangedSilently(t *testing.T) {
	t.Parallel()
	f := func(want fault.Code, data string) {
		t.Helper()
		_, err := decodeObject([]byte(data))
		if !fault.Is(err, want) {
			t.Errorf("%q: want %s, got %v", data, want, err)
		}
	}
	f(fault.EmptyBody, "")
	f(fault.EmptyBody, " \n\t ")
	f(fault.Malformed, "{")
	f(fault.Malformed, `{"a":}`)
	f(fault.Malformed, `{"a":1,}`)
	f(fault.Malformed, `{"a" 1}`)
	f(fault.Malformed, `{1:1}`)
	f(fault.Malformed, `{"a":01}`)
	f(fault.Malformed, `{"a":NaN}`)
	f(fault.Malformed, `{"a":[1}`)
	f(fault.Malformed, `{"a":"\x"}`)
	f(fault.Malformed, `{} {}`)
	f(fault.Malformed, "{}\x00")
	f(fault.Malformed, `{}]`)
	f(fault.ValueType, `[]`)
	f(fault.ValueType, `null`)
	f(fault.ValueType, `"x"`)
	f(fault.DuplicateField, `{"a":1,"a":1}`)
	f(fault.DuplicateField, `{"a":{"b":[{"c":1,"\u0063":2}]}}`)
	f(fault.TextInvalid, "{\"a\":\"\xff\xfe\"}")
	f(fault.TextInvalid, `{"a":"\ud800"}`)
	f(fault.TextInvalid, `{"a":"\ud800\u0041"}`)
	f(fault.TextInvalid, `{"a":"\udc00\ud800"}`)
	f(fault.TextInvalid, `{"a":"\\\ud800"}`)
	f(fault.Invalid, `{"a":`+strings.Repeat("[", 100_000))
	f(fault.Invalid, strings.Repeat(`{"a":`, 100_000))
}

func TestStrictDecodingKeepsValuesAsTheyAre(t *testing.T) {
	t.Parallel()
	got, err := decodeObject([]byte(`{"a":1e400,"b":[true,null,"\ud83c\udfca \\ud800"],"A":{},"c":12345678901234567890}`))
	want := map[string]any{
		"a": json.Number("1e400"),
		"b": []any{true, nil, `🏊 \ud800`},
		"A": map[string]any{},
		"c": json.Number("12345678901234567890"),
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzStrictDecodingReadsAsEncodingJSONOrRefuses(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\ud83c\udfca",{"b":null}],"c":-1.5e3}`))
	f.Add([]byte(`{"a":"\ud800"}`))
	f.Add([]byte(`{"a":1,"a":2} x`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeObject(data)
		if err != nil {
			var is *fault.Error
			if !errors.As(err, &is) {
				t.Fatalf("not a fault: %v", err)
			}
			return
		}
		var want map[string]any
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
