package reading

import (
	"bytes"
	"slices"
	"strings"

	"github.com/readout-dev/readout/internal/fault"
)

// Labels is a canonical set of labels: a JSON object with string values and sorted keys, no spaces, and no escapes but
// \" and \\; "{}" when there are none. Two sets are equal when their text is, so Labels is comparable and serves as
// (part of) a map key. NewLabels and AppendLabels make it; the zero value is no set.
type Labels string

// NoLabels is the empty set.
const NoLabels Labels = "{}"

// Label is one label of a set that is being made.
type Label struct{ Key, Value []byte }

// NewLabels returns the canonical form of m. It refuses more than MaxLabels labels, keys and values that are too long or
// not plain text (see CheckText), and sets longer than MaxLabelsText with TextInvalid.
func NewLabels(m map[string]string) (Labels, error) {
	if len(m) == 0 {
		return NoLabels, nil
	}
	ls := make([]Label, 0, len(m))
	for k, v := range m {
		ls = append(ls, Label{[]byte(k), []byte(v)})
	}
	text, err := AppendLabels(nil, ls)
	if err != nil {
		return "", err
	}
	l := Labels(text)
	return l, l.check()
}

// AppendLabels appends the canonical text of ls, which it sorts in place, to dst and returns the extended slice. A key
// that occurs twice is DuplicateField; the text itself is not checked: Series.Check does that.
func AppendLabels(dst []byte, ls []Label) ([]byte, error) {
	if len(ls) > 1 {
		slices.SortFunc(ls, func(a, b Label) int { return bytes.Compare(a.Key, b.Key) })
	}
	dst = append(dst, '{')
	for i, l := range ls {
		if i > 0 {
			if bytes.Equal(l.Key, ls[i-1].Key) {
				return dst, errLabelTwice
			}
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, l.Key)
		dst = append(dst, ':')
		dst = appendQuoted(dst, l.Value)
	}
	return append(dst, '}'), nil
}

var errLabelTwice error = fault.New(fault.DuplicateField, "labels must not have the same key twice")

func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// Map returns the labels as a map of their own; empty, not nil, when there are none.
func (l Labels) Map() map[string]string {
	m := map[string]string{}
	l.each(func(key, value string) { m[key] = value })
	return m
}

// MarshalJSON returns the canonical text, which is JSON already.
func (l Labels) MarshalJSON() ([]byte, error) {
	if l == "" {
		l = NoLabels
	}
	return []byte(l), nil
}

// check refuses text that is not canonical or may not be stored with TextInvalid.
func (l Labels) check() error {
	if len(l) > MaxLabelsText {
		return fault.New(fault.TextInvalid, "labels must be at most %d bytes long together", MaxLabelsText)
	}
	var failed error
	var before string
	n := 0
	canonical := l.each(func(key, value string) {
		if failed == nil {
			failed = checkLabel(key, value)
		}
		if n++; n > 1 && key <= before && failed == nil {
			failed = errNotCanonical
		}
		before = key
	})
	switch {
	case failed != nil:
		return failed
	case !canonical:
		return errNotCanonical
	case n > MaxLabels:
		return fault.New(fault.TextInvalid, "a series must have at most %d labels", MaxLabels)
	}
	return nil
}

func checkLabel(key, value string) error {
	if err := CheckText("a label's key", key, 1, MaxLabelKey); err != nil {
		return err
	}
	return CheckText("a label's value", value, 0, MaxLabelValue)
}

var errNotCanonical error = fault.New(fault.TextInvalid, "labels are not in canonical form")

// each calls f with every label and reports whether the whole text has the canonical shape; the order is not looked at.
func (l Labels) each(f func(key, value string)) bool {
	s, ok := strings.CutPrefix(string(l), "{")
	if !ok {
		return false
	}
	for first := true; s != "}"; first = false {
		if !first {
			if s, ok = strings.CutPrefix(s, ","); !ok {
				return false
			}
		}
		var key, value string
		if key, s, ok = cutQuoted(s); !ok {
			return false
		}
		if s, ok = strings.CutPrefix(s, ":"); !ok {
			return false
		}
		if value, s, ok = cutQuoted(s); !ok {
			return false
		}
		f(key, value)
	}
	return true
}

// cutQuoted returns the text that the quoted string at the start of s means, and what follows it.
func cutQuoted(s string) (text, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, `"`); !ok {
		return "", "", false
	}
	var unescaped strings.Builder
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			return "", "", false
		}
		if s[i] == '"' {
			if unescaped.Len() == 0 {
				return s[:i], s[i+1:], true
			}
			unescaped.WriteString(s[:i])
			return unescaped.String(), s[i+1:], true
		}
		if i+1 == len(s) || s[i+1] != '"' && s[i+1] != '\\' {
			return "", "", false
		}
		unescaped.WriteString(s[:i])
		unescaped.WriteByte(s[i+1])
		s = s[i+2:]
	}
}
