package reading

import (
	"math"
	"strings"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
)

// codeOf returns the code of a fault, or "" for none.
func codeOf(err error) fault.Code {
	if err == nil {
		return ""
	}
	return fault.Of(err).Code
}

func TestTimesLieBetween1970AndTomorrow(t *testing.T) {
	t.Parallel()
	const now = 1_763_719_200_000_000
	f := func(at int64, want fault.Code) {
		t.Helper()
		if got := codeOf(CheckTime(at, now)); got != want {
			t.Errorf("%d: got %q, want %q", at, got, want)
		}
	}
	f(0, "")
	f(now+MaxAhead, "")
	f(-1, fault.TimeInvalid)
	f(now+MaxAhead+1, fault.TimeInvalid)
	f(math.MinInt64, fault.TimeInvalid)
	f(math.MaxInt64, fault.TimeInvalid)
}

func TestValuesAreFinite(t *testing.T) {
	t.Parallel()
	for _, v := range []float64{0, math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64} {
		if err := CheckValue(v); err != nil {
			t.Errorf("%v: %v", v, err)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if codeOf(CheckValue(v)) != fault.ValueRange {
			t.Errorf("%v is taken", v)
		}
	}
}

func TestTextIsPlain(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"m", "Größe 2", "温度", "a\u200db", "\U0001f600", "\ufffd", strings.Repeat("x", 10)} {
		if err := CheckText("metric", text, 1, 15); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{
		"", strings.Repeat("x", 16), "\xff\xfe", "\xed\xa0\x80", "a\x00b", "a\x1fb", "a\nb", "\x7f", "a\u0080b", "\u009f", "a\u0085b",
		"\u202a", "a\u202eb", "\u2066", "a\u2069", " a", "a ", "\ta", "a\u00a0", "\u2003a", "a\u2028",
	} {
		err := CheckText("metric", text, 1, 15)
		if codeOf(err) != fault.TextInvalid {
			t.Errorf("%q: %v", text, err)
		} else if m := fault.Of(err).Message; !strings.HasPrefix(m, "metric must ") || len(text) > 2 && strings.Contains(m, text) {
			t.Errorf("%q: message %q", text, m)
		}
	}
}

func TestSeriesAreCheckedPartByPart(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*Series), want fault.Code) {
		t.Helper()
		s := Series{Device: "boiler-7", Metric: "temperature", Labels: `{"room":"2"}`, Unit: "Cel"}
		change(&s)
		if got := codeOf(s.Check()); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	x := func(n int) string { return strings.Repeat("x", n) }
	f("as it is", func(*Series) {}, "")
	f("no unit", func(s *Series) { s.Unit = "" }, "")
	f("no labels", func(s *Series) { s.Labels = NoLabels }, "")
	f("longest names", func(s *Series) { s.Device, s.Metric, s.Unit = x(MaxDevice), x(MaxMetric), x(MaxUnit) }, "")
	f("no device", func(s *Series) { s.Device = "" }, fault.TextInvalid)
	f("long device", func(s *Series) { s.Device = x(MaxDevice + 1) }, fault.TextInvalid)
	f("no metric", func(s *Series) { s.Metric = "" }, fault.TextInvalid)
	f("long metric", func(s *Series) { s.Metric = x(MaxMetric + 1) }, fault.TextInvalid)
	f("long unit", func(s *Series) { s.Unit = x(MaxUnit + 1) }, fault.TextInvalid)
	f("labels of the zero value", func(s *Series) { s.Labels = "" }, fault.TextInvalid)
	for _, l := range []Labels{
		`{`, `}`, `{}}`, `{"a"}`, `{"a":}`, `{"a":"1"`, `{"a":"1",}`, `{"a":"1"}x`, `{"a":"1""b":"2"}`, `{"a":1}`, `{a:"1"}`,
		`{"a": "1"}`, `{"b":"1","a":"2"}`, `{"a":"1","a":"2"}`, `{"a":"\n"}`, `{"a":"\u0061"}`, `{"a":"\/"}`, `{"a":"\`, `{"":"1"}`,
	} {
		f(string(l), func(s *Series) { s.Labels = l }, fault.TextInvalid)
	}
}
