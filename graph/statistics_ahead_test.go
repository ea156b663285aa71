package graph

import (
	"slices"
	"testing"
)

func TestMomentsAheadComeInOrder(t *testing.T) {
	t.Parallel()
	var a ahead
	if _, ok := a.next(); ok {
		t.Error("there is a moment ahead of none")
	}
	for _, s := range []int64{7, 3, 9, 3, 5} {
		a.add(s*second + 1)
	}
	if _, _, ok := a.take(4*second - 1); ok {
		t.Error("one is taken before it has come")
	}
	from, to, ok := a.take(6 * second)
	if next, more := a.next(); !ok || from != 3*second || to != 6*second-1 || !more || next != 8*second {
		t.Errorf("took %d to %d, %v; then comes %d, %v", from, to, ok, next, more)
	}
	var rest []int64
	for t, ok := a.next(); ok; t, ok = a.next() {
		rest = append(rest, t)
		a.take(t)
	}
	if want := []int64{8 * second, 10 * second}; !slices.Equal(rest, want) {
		t.Errorf("then come %v, want %v", rest, want)
	}
}
