package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/readout-dev/readout/internal/fault"
)

// maxDepth is how deep arrays and objects may nest.
const maxDepth = 100

// decodeObject reads data, one JSON object and nothing after it, into maps, slices, strings, bools, nil and json.Number.
//
// It refuses what encoding/json changes silently: a member given twice, bytes that are not UTF-8, a lone surrogate, a
// second document. Errors are faults whose messages never repeat data.
func decodeObject(data []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fault.New(fault.EmptyBody, "the request is empty")
	}
	if !utf8.Valid(data) || hasLoneSurrogate(data) {
		return nil, fault.New(fault.TextInvalid, "the request is not valid UTF-8")
	}
	s := strict{json.NewDecoder(bytes.NewReader(data))}
	s.UseNumber()
	v, err := s.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := s.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Malformed, "something follows the JSON value")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fault.New(fault.ValueType, "one JSON object is expected; batches are not supported")
	}
	return object, nil
}

// strict reads values token by token, since only tokens show that a member is given twice.
type strict struct{ *json.Decoder }

func (s strict) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fault.New(fault.Invalid, "the JSON is nested deeper than %d levels", maxDepth)
	}
	token, err := s.token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return s.object(depth + 1)
	case json.Delim('['):
		return s.array(depth + 1)
	}
	return token, nil
}

func (s strict) object(depth int) (map[string]any, error) {
	object := map[string]any{}
	for s.More() {
		token, err := s.token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, malformed(nil)
		}
		if _, twice := object[name]; twice {
			return nil, fault.New(fault.DuplicateField, "a member of a JSON object is given twice")
		}
		if object[name], err = s.value(depth); err != nil {
			return nil, err
		}
	}
	_, err := s.token()
	return object, err
}

func (s strict) array(depth int) ([]any, error) {
	array := []any{}
	for s.More() {
		v, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		array = append(array, v)
	}
	_, err := s.token()
	return array, err
}

func (s strict) token() (json.Token, error) {
	token, err := s.Token()
	if err != nil {
		return nil, malformed(err)
	}
	return token, nil
}

func malformed(err error) error { return fault.Wrap(err, fault.Malformed, "the request is not JSON") }

// hasLoneSurrogate reports whether a \u escape in data, which is otherwise JSON, is half a pair: encoding/json would put
// U+FFFD in its place.
func hasLoneSurrogate(data []byte) bool {
	for {
		i := bytes.IndexByte(data, '\\')
		if i < 0 || i+1 >= len(data) {
			return false
		}
		unit, ok := escaped(data[i:])
		switch {
		case !ok:
			data = data[i+2:]
		case unit < 0xD800 || unit > 0xDFFF:
			data = data[i+6:]
		default:
			low, ok := escaped(data[i+6:])
			if unit > 0xDBFF || !ok || low < 0xDC00 || low > 0xDFFF {
				return true
			}
			data = data[i+12:]
		}
	}
}

// escaped returns the UTF-16 unit of the \uXXXX that data begins with.
func escaped(data []byte) (unit uint64, ok bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return unit, err == nil
}
