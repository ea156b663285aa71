package reading

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/internal/fault"
)

func TestLabelsAreCanonical(t *testing.T) {
	t.Parallel()
	f := func(m map[string]string, want Labels) {
		t.Helper()
		got, err := NewLabels(m)
		if err != nil || got != want {
			t.Errorf("%v: got %s, %v", m, got, err)
		}
	}
	f(nil, NoLabels)
	f(map[string]string{"room": "2"}, `{"room":"2"}`)
	f(map[string]string{"b": "", "a": `say "hi" \o/`, "ä": "<&>"}, `{"a":"say \"hi\" \\o/","b":"","ä":"<&>"}`)
}

func TestLabelsComeBackAsTheMapTheyWere(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-c"\\é😀]{1,4}`)
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.MapOfN(word, rapid.OneOf(word, rapid.Just("")), 0, MaxLabels).Draw(t, "labels")
		l, err := NewLabels(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Map(); !maps.Equal(got, m) {
			t.Fatalf("%s: got %v", l, got)
		}
		var got map[string]string
		if b, err := json.Marshal(l); err != nil || json.Unmarshal(b, &got) != nil || !maps.Equal(got, m) {
			t.Fatalf("as JSON: %s, %v", b, err)
		}
		if err := (Series{Device: "d", Metric: "m", Labels: l}).Check(); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
	})
}

func TestLabelsHaveLimits(t *testing.T) {
	t.Parallel()
	f := func(name string, m map[string]string, want fault.Code) {
		t.Helper()
		if _, err := NewLabels(m); codeOf(err) != want {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	many := func(n, length int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprintf("k%02d", i)] = strings.Repeat("v", length)
		}
		return m
	}
	f("sixteen", many(MaxLabels, 1), "")
	f("seventeen", many(MaxLabels+1, 1), fault.TextInvalid)
	f("1,021 bytes together", many(5, 195), "")
	f("1,026 bytes together", many(5, 196), fault.TextInvalid)
	f("longest key and value", map[string]string{strings.Repeat("k", MaxLabelKey): strings.Repeat("v", MaxLabelValue)}, "")
	f("long key", map[string]string{strings.Repeat("k", MaxLabelKey+1): ""}, fault.TextInvalid)
	f("long value", map[string]string{"k": strings.Repeat("v", MaxLabelValue+1)}, fault.TextInvalid)
	f("no key", map[string]string{"": "v"}, fault.TextInvalid)
	f("control character", map[string]string{"k": "a\x00"}, fault.TextInvalid)
	f("not UTF-8", map[string]string{"k": "\xff"}, fault.TextInvalid)
}

func TestTheZeroLabelsAreEmpty(t *testing.T) {
	t.Parallel()
	if b, err := json.Marshal(Labels("")); string(b) != "{}" || err != nil || len(Labels("").Map()) > 0 {
		t.Errorf("got %s, %v", b, err)
	}
}

func TestAKeyTwiceIsRefused(t *testing.T) {
	t.Parallel()
	l := Label{[]byte("k"), nil}
	if _, err := AppendLabels(nil, []Label{l, {[]byte("a"), nil}, l}); codeOf(err) != fault.DuplicateField {
		t.Errorf("got %v", err)
	}
}
