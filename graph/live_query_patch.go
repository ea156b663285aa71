package graph

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// patch is a list of operations that make one JSON document of another (RFC 6902). It is made in time that grows with the
// documents and no faster, so lists are compared by their ends: what was put in or taken out at one end, or at one place, is
// found, as with a window that moves on; what moved elsewhere is replaced.
type patch []patchOperation

type patchOperation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value,omitempty"`
}

// diff returns the patch that makes b of a; both are valid and written in the same way: values that are equal are so byte by
// byte.
func diff(a, b json.RawMessage) patch {
	p := patch{} // not null, where nothing is to be done
	p.value("", a, b)
	return p
}

func (p *patch) add(path string, value json.RawMessage) {
	*p = append(*p, patchOperation{"add", path, value})
}

func (p *patch) remove(path string) { *p = append(*p, patchOperation{Op: "remove", Path: path}) }

func (p *patch) value(path string, a, b json.RawMessage) {
	switch {
	case bytes.Equal(a, b):
	case a[0] == '{' && b[0] == '{':
		p.object(path, decoded[map[string]json.RawMessage](a), decoded[map[string]json.RawMessage](b))
	case a[0] == '[' && b[0] == '[':
		p.list(path, decoded[[]json.RawMessage](a), decoded[[]json.RawMessage](b))
	default:
		*p = append(*p, patchOperation{"replace", path, b})
	}
}

func decoded[T any](text json.RawMessage) (v T) {
	_ = json.Unmarshal(text, &v) // it is valid
	return v
}

func (p *patch) object(path string, a, b map[string]json.RawMessage) {
	for _, key := range slices.Sorted(maps.Keys(a)) {
		if value, ok := b[key]; ok {
			p.value(property(path, key), a[key], value)
		} else {
			p.remove(property(path, key))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[key]; !ok {
			p.add(property(path, key), b[key])
		}
	}
}

var escaped = strings.NewReplacer("~", "~0", "/", "~1")

func property(path, key string) string { return path + "/" + escaped.Replace(key) }

func item(path string, i int) string { return path + "/" + strconv.Itoa(i) }

// list goes through both lists from the front: what is equal stays, what was taken out or put in is found where the other
// list goes on as this one does. Where neither does, the rest is compared item by item.
func (p *patch) list(path string, a, b []json.RawMessage) {
	a, b = withoutEnd(a, b)
	at := 0
	for len(a) > 0 && len(b) > 0 {
		if bytes.Equal(a[0], b[0]) {
			a, b, at = a[1:], b[1:], at+1
			continue
		}
		gone, come, found := meeting(a, b)
		if !found {
			break
		}
		for range gone {
			p.remove(item(path, at))
		}
		for i := range come {
			p.add(item(path, at+i), b[i])
		}
		a, b, at = a[gone:], b[come:], at+come
	}
	both := min(len(a), len(b))
	for i := range both {
		p.value(item(path, at+i), a[i], b[i])
	}
	for range a[both:] {
		p.remove(item(path, at+both))
	}
	for i, value := range b[both:] {
		p.add(item(path, at+both+i), value)
	}
}

// withoutEnd leaves out what both lists end with.
func withoutEnd(a, b []json.RawMessage) (_, _ []json.RawMessage) {
	for len(a) > 0 && len(b) > 0 && bytes.Equal(a[len(a)-1], b[len(b)-1]) {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a, b
}

// meeting looks for the nearest place where one list goes on as the other does now: behind the gone first items of a, or
// the come first of b.
func meeting(a, b []json.RawMessage) (gone, come int, found bool) {
	for i := 1; i < max(len(a), len(b)); i++ {
		if i < len(a) && bytes.Equal(a[i], b[0]) {
			return i, 0, true
		}
		if i < len(b) && bytes.Equal(b[i], a[0]) {
			return 0, i, true
		}
	}
	return 0, 0, false
}
