package auth

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// object holds the members of a JSON object, each value as it is written, by their exact names. encoding/json would match
// names in any case and keep the last of two; and its Decoder, which would not, costs 80 allocations a token.
type object map[string]string

// readObject reads doc, which must be one JSON object in UTF-8 and nothing else, its names distinct. The names of objects
// within it may repeat: no such value is used.
func readObject(doc []byte) (object, error) {
	if !utf8.Valid(doc) || !json.Valid(doc) {
		return nil, errors.New("not JSON in UTF-8")
	}
	rest := trimSpace(string(doc))
	if rest[0] != '{' {
		return nil, errors.New("not a JSON object")
	}
	m := make(object, 8)
	for rest = trimSpace(rest[1:]); rest[0] != '}'; {
		var quoted, value string
		quoted, rest = cutValue(rest)
		value, rest = cutValue(trimSpace(rest[1:])) // behind the colon
		name, ok := unquote(quoted)
		if !ok || m.has(name) {
			return nil, errors.New("a name that occurs twice")
		}
		m[name] = value
		rest = trimSpace(strings.TrimPrefix(rest, ","))
	}
	return m, nil
}

// cutValue cuts the first value off valid JSON that goes on, which then begins with the colon, comma or bracket behind it.
func cutValue(s string) (value, rest string) {
	end := endOfValue(s)
	return strings.TrimRight(s[:end], space), s[end:]
}

// endOfValue returns the index of the first colon, comma or closing bracket that is not inside the value.
func endOfValue(s string) int {
	depth, inString := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
		case depth == 0 && (c == ',' || c == ':' || c == '}' || c == ']'):
			return i
		case c == '}' || c == ']':
			depth--
		}
	}
	return len(s)
}

// space is what JSON allows between tokens (RFC 8259, 2).
const space = " \t\r\n"

func trimSpace(s string) string { return strings.TrimLeft(s, space) }

// unquote returns the text of a valid JSON string; ok is false when s is another value.
func unquote(s string) (text string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", false
	}
	if !strings.Contains(s, `\`) {
		return s[1 : len(s)-1], true
	}
	err := json.Unmarshal([]byte(s), &text)
	return text, err == nil
}

func (m object) has(name string) bool {
	_, found := m[name]
	return found
}

// text returns the member of that name if it is a string.
func (m object) text(name string) (string, bool) { return unquote(m[name]) }

// texts returns the member of that name if it is an array of strings.
func (m object) texts(name string) ([]string, bool) {
	var all []*string // null is not a string
	if json.Unmarshal([]byte(m[name]), &all) != nil || all == nil {
		return nil, false
	}
	texts := make([]string, 0, len(all))
	for _, s := range all {
		if s == nil {
			return nil, false
		}
		texts = append(texts, *s)
	}
	return texts, true
}

// id returns the member of that name if it is a string of a positive int64 in plain decimal, as our ids are.
func (m object) id(name string) (int64, bool) {
	s, ok := m.text(name)
	if !ok {
		return 0, false
	}
	id, ok := plainInt(s)
	return id, ok && id > 0
}

// date returns the member of that name if it is a whole number of seconds since 1970, from 1 to the year 9999. RFC 7519
// allows fractions and exponents; nothing that we accept needs them.
func (m object) date(name string) (time.Time, bool) {
	const year10000 = 253_402_300_800
	seconds, ok := plainInt(m[name])
	return time.Unix(seconds, 0).UTC(), ok && 0 < seconds && seconds < year10000
}

// plainInt reads what strconv.FormatInt writes, and nothing else.
func plainInt(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == s
}
