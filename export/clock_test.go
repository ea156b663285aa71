package export

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestClockWritesEveryTimeAsTheStandardLibraryDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var c clock
		at := rapid.Int64Range(0, 4e15).Draw(t, "first")
		for _, step := range rapid.SliceOfN(rapid.Int64Range(-2*day, 2*day), 1, 5).Draw(t, "steps") {
			at = max(at+step, 0)
			want := time.UnixMicro(at).UTC().Format(time.RFC3339Nano)
			if got := string(c.append(nil, at)); got != want {
				t.Fatalf("%d is %s, want %s", at, got, want)
			}
		}
	})
}
