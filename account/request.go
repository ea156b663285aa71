package account

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
)

// maxBody and maxMeBody bound the body of a request, in bytes; the second that of one which may hold settings.
const (
	maxBody   = 4 << 10
	maxMeBody = 24 << 10
)

// body is a JSON object that a client sent. It is read strictly where encoding/json is not: names match exactly and occur
// once, and text that is not UTF-8 is refused, as replacing it could make one password of two. The first thing that is wrong
// with a field is err.
type body struct {
	fields map[string]json.RawMessage
	err    error
}

// read returns a body of these fields, after the address that sent it was found to have attempts left. Nothing at all is
// refused unless it may be empty.
func (a *Accounts) read(w http.ResponseWriter, r *http.Request, names ...string) (*body, error) {
	b, err := a.readOrEmpty(w, r, maxBody, names...)
	if err == nil && b.fields == nil {
		return nil, fault.New(fault.EmptyBody, "send a JSON object")
	}
	return b, err
}

func (a *Accounts) readOrEmpty(w http.ResponseWriter, r *http.Request, limit int64, names ...string) (*body, error) {
	if err := a.allowAddress(r); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, fault.New(fault.TooLarge, "the body is limited to %d bytes", limit)
	case err != nil:
		return nil, fault.Wrap(err, fault.BadRequest, "the body breaks off")
	case len(bytes.TrimSpace(text)) == 0:
		return &body{}, nil
	case !json.Valid(text):
		return nil, fault.New(fault.Malformed, "the body is not JSON")
	case !utf8.Valid(text):
		return nil, fault.New(fault.TextInvalid, "the body is not UTF-8")
	}
	fields, err := members(text, names)
	return &body{fields: fields}, err
}

func (a *Accounts) allowAddress(r *http.Request) error {
	from := networkOf(r)
	if from == "" {
		return nil
	}
	if ok, wait := a.byAddress.Allow(from); !ok {
		return fault.New(fault.TooMany, "too many attempts from this address: wait, then try again").After(wait)
	}
	return nil
}

// networkOf returns the address that a request comes from, as it is limited; "" when it comes by no network.
func networkOf(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return auth.AddressKey(from.Addr())
}

// members returns the members of valid JSON that is an object of these names; nil names are any.
func members(valid []byte, names []string) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(valid))
	if start, _ := decoder.Token(); start != json.Delim('{') {
		return nil, fault.New(fault.ValueType, "this is a JSON object")
	}
	fields := map[string]json.RawMessage{}
	for decoder.More() {
		token, _ := decoder.Token()
		name, _ := token.(string)
		if names != nil && !slices.Contains(names, name) {
			return nil, fault.New(fault.UnknownField, "the fields are %s", strings.Join(names, ", "))
		}
		if _, twice := fields[name]; twice {
			return nil, fault.New(fault.DuplicateField, "the field %s is there twice", name)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fault.Wrap(err, fault.Malformed, "the body is not JSON")
		}
		fields[name] = value
	}
	return fields, nil
}

// has reports whether a field is there.
func (b *body) has(name string) bool {
	_, there := b.fields[name]
	return there
}

// text returns a field that must be there.
func (b *body) text(name string) string {
	if !b.has(name) {
		b.fail(fault.New(fault.MissingField, "the field %s is missing", name))
		return ""
	}
	return b.optional(name, "")
}

// optional returns a field of text, or what it is when it is not there.
func (b *body) optional(name, otherwise string) string {
	raw, there := b.fields[name]
	if !there {
		return otherwise
	}
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil || text == nil {
		b.fail(fault.New(fault.ValueType, "the field %s is text", name))
		return ""
	}
	if strings.ContainsRune(*text, utf8.RuneError) {
		b.fail(fault.New(fault.TextInvalid, "the field %s has a character that does not exist", name))
	}
	return *text
}

// flag returns a field that is true or false, which it is when it is not there.
func (b *body) flag(name string) bool {
	switch raw := string(b.fields[name]); raw {
	case "true", "false", "":
		return raw == "true"
	}
	b.fail(fault.New(fault.ValueType, "the field %s is true or false", name))
	return false
}

// object returns the members of a field that is an object of text; nil when it is not there.
func (b *body) object(name string) map[string]string {
	if !b.has(name) {
		return nil
	}
	inner, err := members(b.fields[name], nil)
	if err != nil {
		b.fail(err)
		return nil
	}
	of := &body{fields: inner}
	texts := make(map[string]string, len(inner))
	for key := range inner {
		texts[key] = of.text(key)
	}
	b.fail(of.err)
	return texts
}

func (b *body) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}
