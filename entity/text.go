package entity

import (
	"errors"
	"strconv"
	"strings"
)

// The letters of kinds and types: one letter each, and "-" for no type.
const (
	kindLetters = "-cudm"
	typeLetters = "pmdskuo" // in the order of the bits
)

var errText = errors.New("not a change of an entity")

// AppendText appends the change as one word of letters, digits, commas and minus signs, 90 bytes at most: how processes tell
// each other. It implements encoding.TextAppender; the error is nil.
func (c Change) AppendText(b []byte) ([]byte, error) {
	b = append(b, kindLetters[c.Kind], c.Type.letter())
	for _, n := range [...]int64{c.ID, c.Project, c.User, c.At} {
		b = append(strconv.AppendInt(b, n, 10), ',')
	}
	return b[:len(b)-1], nil
}

// UnmarshalText reads what AppendText writes. An error is the answer to whatever else, such as the words of a later version:
// who gets it has missed something.
func (c *Change) UnmarshalText(text []byte) error {
	if len(text) < 2 {
		return errText
	}
	kind, typ := strings.IndexByte(kindLetters, text[0]), strings.IndexByte(typeLetters, text[1])
	numbers := strings.Split(string(text[2:]), ",")
	missed := Kind(kind) == Missed && text[1] == '-'
	if kind <= 0 || !missed && (typ < 0 || Kind(kind) == Missed) || len(numbers) != 4 {
		return errText
	}
	read := Change{Kind: Kind(kind)}
	if !missed {
		read.Type = 1 << typ
	}
	for i, n := range [...]*int64{&read.ID, &read.Project, &read.User, &read.At} {
		var err error
		if *n, err = strconv.ParseInt(numbers[i], 10, 64); err != nil {
			return errText
		}
	}
	*c = read
	return nil
}

func (t Type) letter() byte {
	for i := range typeLetters {
		if t == 1<<i {
			return typeLetters[i]
		}
	}
	return '-'
}
