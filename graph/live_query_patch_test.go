package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// applied is what a client makes of a document and a patch.
func applied(document string, p patch) (any, error) {
	v := map[string]any{"": value(document)} // the whole is a member, as everything else is
	for _, o := range p {
		if err := apply(v, strings.Split(o.Path, "/"), o); err != nil {
			return nil, fmt.Errorf("%s %s: %w", o.Op, o.Path, err)
		}
	}
	return v[""], nil
}

func value(document string) (v any) {
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return v
}

// apply applies an operation below a container, by the steps of its path.
func apply(in any, steps []string, o patchOperation) error {
	key := strings.NewReplacer("~1", "/", "~0", "~").Replace(steps[0])
	switch in := in.(type) {
	case map[string]any:
		_, there := in[key]
		switch {
		case len(steps) > 1 && isArray(in[key]):
			list, err := applyToList(in[key].([]any), steps[1:], o)
			in[key] = list
			return err
		case len(steps) > 1:
			return apply(in[key], steps[1:], o)
		case there == (o.Op == "add"):
			return fmt.Errorf("there: %v", there)
		case o.Op == "remove":
			delete(in, key)
		default:
			in[key] = value(string(o.Value))
		}
		return nil
	}
	return fmt.Errorf("nothing is in %v", in)
}

func isArray(v any) bool { _, ok := v.([]any); return ok }

func applyToList(list []any, steps []string, o patchOperation) ([]any, error) {
	i, err := strconv.Atoi(steps[0])
	if err != nil || i > len(list) || i == len(list) && (len(steps) > 1 || o.Op != "add") {
		return list, fmt.Errorf("no place %s in %d", steps[0], len(list))
	}
	switch {
	case len(steps) > 1 && isArray(list[i]):
		list[i], err = applyToList(list[i].([]any), steps[1:], o)
		return list, err
	case len(steps) > 1:
		return list, apply(list[i], steps[1:], o)
	case o.Op == "add":
		return slices.Insert(list, i, value(string(o.Value))), nil
	case o.Op == "remove":
		return slices.Delete(list, i, i+1), nil
	}
	list[i] = value(string(o.Value))
	return list, nil
}

func document(depth int) *rapid.Generator[any] {
	plain := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.IntRange(0, 3).AsAny(), rapid.Float64().AsAny(), rapid.String().AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(plain...)
	}
	name := rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "c", "", "~", "/", "~1", "a/b"}), rapid.String())
	return rapid.OneOf(append(plain,
		rapid.MapOfN(name, document(depth-1), 0, 5).AsAny(),
		rapid.SliceOfN(document(depth-1), 0, 8).AsAny(),
		rapid.SliceOfN(rapid.IntRange(0, 4).AsAny(), 0, 12).AsAny(),
	)...)
}

func TestPatchMakesOneDocumentOfAnother(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a := text(rt, document(3).Draw(rt, "a"))
		b := text(rt, document(3).Draw(rt, "b"))
		p := diff(a, b)
		got, err := applied(string(a), p)
		if err != nil || !reflect.DeepEqual(got, value(string(b))) {
			rt.Fatalf("%s\nwith %s\nis %v, %v\nwant %s", a, encodeJSON(p), got, err, b)
		}
		if bytes.Equal(a, b) != (len(p) == 0) {
			rt.Fatalf("%d operations", len(p))
		}
	})
}

func text(t *rapid.T, v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPatchSaysNoMoreThanWhatHasChanged(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct{ a, b, want string }{
		"nothing":        {`{"a":[1,{"b":2}]}`, `{"a":[1,{"b":2}]}`, `[]`},
		"a value":        {`{"a":[1,{"b":2}]}`, `{"a":[1,{"b":3}]}`, `[{"op":"replace","path":"/a/1/b","value":3}]`},
		"null":           {`{"a":1}`, `{"a":null}`, `[{"op":"replace","path":"/a","value":null}]`},
		"large numbers":  {`[9007199254740992]`, `[9007199254740993]`, `[{"op":"replace","path":"/0","value":9007199254740993}]`},
		"signs":          {`{"a/~":1}`, `{"b<":1}`, `[{"op":"remove","path":"/a~1~0"},{"op":"add","path":"/b<","value":1}]`},
		"the whole":      {`{"a":1}`, `null`, `[{"op":"replace","path":"","value":null}]`},
		"appended":       {`[1,2]`, `[1,2,3]`, `[{"op":"add","path":"/2","value":3}]`},
		"put in":         {`[1,2,3,4]`, `[1,2,9,3,4]`, `[{"op":"add","path":"/2","value":9}]`},
		"taken out":      {`[1,2,3,4]`, `[1,3,4]`, `[{"op":"remove","path":"/1"}]`},
		"window":         {`[1,2,3,4]`, `[2,3,4,5]`, `[{"op":"remove","path":"/0"},{"op":"add","path":"/3","value":5}]`},
		"newest first":   {`[4,3,2,1]`, `[5,4,3,2]`, `[{"op":"add","path":"/0","value":5},{"op":"remove","path":"/4"}]`},
		"window, unruly": {`[1,2,3,4]`, `[2,3,9,5]`, `[{"op":"remove","path":"/0"},{"op":"replace","path":"/2","value":9},{"op":"add","path":"/3","value":5}]`},
		"all of a list":  {`[1,2]`, `[]`, `[{"op":"remove","path":"/0"},{"op":"remove","path":"/0"}]`},
	} {
		if got := encodeJSON(diff(json.RawMessage(of.a), json.RawMessage(of.b))); string(got) != of.want {
			t.Errorf("%s: got %s, want %s", name, got, of.want)
		}
	}
}

// A patch of a long list is made in the time that it takes to read it: ten times the list, not a hundred times the work.
func TestPatchOfLongListsIsQuick(t *testing.T) {
	t.Parallel()
	const n = 100_000
	long := func(first, step int) json.RawMessage {
		list := make([]int, n)
		for i := range list {
			list[i] = first + i*step
		}
		return encodeJSON(list)
	}
	if p := diff(long(0, 1), long(n, 1)); len(p) != n { // they have nothing in common
		t.Errorf("%d operations", len(p))
	}
	if p := diff(long(0, 1), long(1, 1)); len(p) != 2 {
		t.Errorf("a window that moves on: %d operations", len(p))
	}
}
