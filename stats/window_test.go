package stats

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // for machines that have no zones

	"github.com/readout-dev/readout/internal/fault"
)

// zoneOf loads a zone that there is.
func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// periodOf parses a period that there is.
func periodOf(t testing.TB, s string) Period {
	t.Helper()
	p, err := ParsePeriod(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// moment is RFC 3339 without seconds, as the files of testdata/window have it.
const moment = "2006-01-02T15:04Z07:00"

// momentOf parses a time of such a file, which needs no zone but may have seconds.
func momentOf(t testing.TB, s string) int64 {
	t.Helper()
	at, err := time.Parse(moment, s)
	if err != nil {
		at, err = time.Parse(time.RFC3339Nano, s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

// A windowCase is a window, a range and the buckets that a file of testdata/window expects of them.
//
//	window PERIOD ZONE [RANGE] [WEEKDAY]
//	range FROM TO
//	BEGIN LENGTH LABEL        for each bucket; LABEL is - where there is none
type windowCase struct {
	name     string
	window   Window
	from, to int64
	buckets  []string
}

// windowCases reads a file of testdata/window.
func windowCases(t *testing.T, path string) []windowCase {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var cases []windowCase
	for lines := bufio.NewScanner(file); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "window":
			cases = append(cases, windowCase{name: strings.Join(words[1:], " "), window: windowOf(t, words[1:])})
		case words[0] == "range":
			c := &cases[len(cases)-1]
			c.from, c.to = momentOf(t, words[1]), momentOf(t, words[2])
			c.name += " from " + words[1]
		default:
			c := &cases[len(cases)-1]
			c.buckets = append(c.buckets, strings.Join(words, " "))
		}
	}
	return cases
}

func windowOf(t *testing.T, words []string) Window {
	t.Helper()
	w := Window{Every: periodOf(t, words[0]), Zone: zoneOf(t, words[1])}
	for _, word := range words[2:] {
		if w.FromRange = word == "RANGE"; !w.FromRange {
			day, err := ParseWeekday(word)
			if err != nil {
				t.Fatal(err)
			}
			w.WeekStart = day
		}
	}
	return w
}

// buckets writes the buckets of w as the files of testdata/window do.
func buckets(t *testing.T, w Window, from, to int64) []string {
	t.Helper()
	bounds, err := w.Bounds(from, to)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i := 1; i < len(bounds); i++ {
		start := time.UnixMicro(bounds[i-1]).In(w.Zone).Format("2006-01-02T15:04-07:00")
		length := (time.Duration(bounds[i]-bounds[i-1]) * time.Microsecond).String()
		length = strings.TrimSuffix(length, "0s")
		if strings.HasSuffix(length, "h0m") {
			length = strings.TrimSuffix(length, "0m")
		}
		label := w.Label(bounds[i-1])
		if label == "" {
			label = "-"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", start, length, label))
	}
	return lines
}

// The files were written by a program in another language that walks the clock minute by minute, or by hand.
func TestWindowsOfTheFilesAreCutAsExpected(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/window/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		for _, c := range windowCases(t, file) {
			t.Run(filepath.Base(file)+" "+c.name, func(t *testing.T) {
				t.Parallel()
				if got := buckets(t, c.window, c.from, c.to); !slices.Equal(got, c.buckets) {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.buckets, "\n"))
				}
			})
		}
	}
}

func TestDaysHaveAsManyHoursAsTheClockShows(t *testing.T) {
	t.Parallel()
	f := func(zone, date, every string, want int) {
		t.Helper()
		at, err := time.ParseInLocation(time.DateOnly, date, zoneOf(t, zone))
		if err != nil {
			t.Fatal(err)
		}
		w := Window{Every: periodOf(t, every), Zone: at.Location()}
		bounds, err := w.Bounds(at.UnixMicro(), at.AddDate(0, 0, 1).UnixMicro())
		if got := len(bounds) - 1; err != nil || got != want {
			t.Errorf("%s of %s in %s: %d buckets, %v, want %d", date, every, zone, got, err, want)
		}
	}
	f("Europe/Sofia", "2018-03-25", "PT1H", 23)
	f("Europe/Sofia", "2018-10-28", "PT1H", 25)
	f("Europe/Sofia", "2018-03-25", "PT15M", 92)
	f("Europe/Sofia", "2018-10-28", "PT15M", 100)
	f("Europe/Sofia", "2018-10-28", "PT6H", 4)
	f("Europe/Sofia", "2018-10-28", "PT24H", 1)
	f("Australia/Lord_Howe", "2018-04-01", "PT1H", 25)
	f("Australia/Lord_Howe", "2018-10-07", "PT1H", 24)
	f("Pacific/Chatham", "2018-04-01", "PT1H", 26) // the clock goes from 03:45 back to 02:45: 45 and 15 minutes are buckets of their own
	f("Asia/Kolkata", "2018-03-25", "PT10S", 8640)
}

func TestWindowWithoutPeriodIsTheRange(t *testing.T) {
	t.Parallel()
	bounds, err := Window{Zone: zoneOf(t, "Europe/Berlin")}.Bounds(5, 17)
	if err != nil || !slices.Equal(bounds, []int64{5, 17}) {
		t.Errorf("got %v, %v", bounds, err)
	}
	if label := (Window{}).Label(5); label != "" {
		t.Errorf("it has the label %q", label)
	}
}

func TestWindowOfAnEmptyRangeHasNoBuckets(t *testing.T) {
	t.Parallel()
	for _, w := range []Window{{}, {Every: Day.Period()}, {Every: Month.Period(), FromRange: true}} {
		if bounds, err := w.Bounds(17, 17); err != nil || bounds != nil {
			t.Errorf("%v: %v, %v", w, bounds, err)
		}
	}
}

func TestWindowRefusesWhatIsNoRangeOrPeriod(t *testing.T) {
	t.Parallel()
	f := func(w Window, from, to int64) {
		t.Helper()
		if bounds, err := w.Bounds(from, to); !fault.Is(err, fault.Invalid) || bounds != nil {
			t.Errorf("%v of %d to %d: %v, %v", w, from, to, bounds, err)
		}
	}
	f(Window{}, 1, 0)
	f(Window{}, math.MinInt64, 0)
	f(Window{}, 0, math.MaxInt64)
	f(Window{Every: Day.Period()}, math.MinInt64, math.MaxInt64)
	f(Window{Every: Period{Days: -1}}, 0, 1)
	f(Window{Every: Period{Months: -1, Days: 60}}, 0, 1)
	f(Window{Every: Period{Months: math.MaxInt}}, 0, 1)
	f(Window{Every: Period{Days: math.MaxInt}}, 0, 1)
	f(Window{Every: Period{Days: 2, Time: -time.Hour}}, 0, 1)
	f(Window{Every: Period{Months: 7_014_649}}, 0, 1) // 2^64 µs and a few days
	f(Window{Every: Period{Days: 213_503_983}}, 0, 1)
	f(Window{Every: Period{Time: math.MaxInt64}}, 0, 1)
	f(Window{Every: Period{Time: time.Microsecond}}, 0, 1)
	f(Window{Every: Period{Time: time.Second + 1}}, 0, 1)
}

func TestWindowCutsAtMostMaxBuckets(t *testing.T) {
	t.Parallel()
	f := func(w Window, from string, n int) {
		t.Helper()
		begin := momentOf(t, from)
		end := w.Every.Shift(begin, n, w.Zone)
		bounds, err := w.Bounds(begin, end)
		switch {
		case n > MaxBuckets && (!fault.Is(err, fault.Invalid) || !strings.Contains(fault.Of(err).Message, "11,000")):
			t.Errorf("%d of %s: %d bounds, %v", n, w.Every, len(bounds), err)
		case n <= MaxBuckets && (err != nil || len(bounds) != n+1):
			t.Errorf("%d of %s: %d bounds, %v", n, w.Every, len(bounds), err)
		}
	}
	berlin := zoneOf(t, "Europe/Berlin")
	for _, n := range []int{1, MaxBuckets - 1, MaxBuckets, MaxBuckets + 1, 2 * MaxBuckets} {
		f(Window{Every: Minute.Period(), Zone: berlin}, "2018-01-01T00:00+01:00", n)
		f(Window{Every: Hour.Period(), Zone: berlin}, "2018-01-01T00:00+01:00", n)
		f(Window{Every: Day.Period(), Zone: berlin}, "2018-01-01T00:00+01:00", n)
		f(Window{Every: Week.Period(), Zone: berlin}, "2018-01-01T00:00+01:00", n)
		f(Window{Every: Month.Period(), Zone: berlin}, "2018-01-01T00:00+01:00", n)
		f(Window{Every: Month.Period(), Zone: berlin, FromRange: true}, "2018-01-31T00:00+01:00", n)
		f(Window{Every: periodOf(t, "P1DT1S"), Zone: berlin, FromRange: true}, "2018-01-31T00:00+01:00", n)
		f(Window{Every: periodOf(t, "PT7H"), Zone: berlin, FromRange: true}, "2018-01-31T00:00+01:00", n)
	}
	w := Window{Every: periodOf(t, "PT0.001S")}
	if bounds, err := w.Bounds(0, 1_000_000_000_000_000); !fault.Is(err, fault.Invalid) { // 10^12 of them
		t.Errorf("%d bounds, %v", len(bounds), err)
	}
}

// It is not parallel: allocations are counted for all goroutines.
func TestRefusingTooManyBucketsMakesNone(t *testing.T) {
	w := Window{Every: Minute.Period(), Zone: zoneOf(t, "Europe/Berlin")}
	f := func(w Window) {
		t.Helper()
		if n := testing.AllocsPerRun(10, func() { _, _ = w.Bounds(0, lastYear) }); n > 0 {
			t.Errorf("%s: %v allocations", w.Every, n)
		}
	}
	f(w)
	w.FromRange = true
	f(w)
	w.Every = periodOf(t, "PT2H")
	f(w)
}

// The windows that charts ask for most, as long as they may be: hours and days take well under a millisecond, labels some.
func BenchmarkBounds(b *testing.B) {
	berlin := zoneOf(b, "Europe/Berlin")
	for _, w := range []Window{
		{Every: periodOf(b, "PT15M"), Zone: berlin},
		{Every: periodOf(b, "PT1H"), Zone: berlin},
		{Every: periodOf(b, "PT6H"), Zone: berlin},
		{Every: periodOf(b, "P1D"), Zone: berlin},
		{Every: periodOf(b, "P1D"), Zone: berlin, FromRange: true},
		{Every: periodOf(b, "P1DT12H"), Zone: berlin},
		{Every: periodOf(b, "P1M"), Zone: berlin},
	} {
		name := w.Every.String()
		if w.FromRange {
			name += " RANGE"
		}
		from := momentOf(b, "2018-01-01T00:00+01:00")
		to := w.Every.Shift(from, MaxBuckets-10, berlin)
		bounds, err := w.Bounds(from, to)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = w.Bounds(from, to)
			}
		})
		b.Run(name+" labels", func(b *testing.B) {
			for b.Loop() {
				for _, start := range bounds {
					_ = w.Label(start)
				}
			}
		})
	}
}

func TestNoBucketReachesOutOfTheYearsThatATimeCanBeWrittenIn(t *testing.T) {
	t.Parallel()
	f := func(from, to, every string) {
		t.Helper()
		period, err := ParsePeriod(every)
		if err != nil {
			t.Fatal(err)
		}
		low, errFrom := time.Parse(time.RFC3339, from)
		high, errTo := time.Parse(time.RFC3339, to)
		if errFrom != nil || errTo != nil {
			t.Fatal(errFrom, errTo)
		}
		if bounds, err := (Window{Every: period}).Bounds(low.UnixMicro(), high.UnixMicro()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s to %s by %s: %v, %v", from, to, every, bounds, err)
		}
	}
	f("9999-12-30T00:00:00Z", "9999-12-31T23:59:59Z", "P1D")
	f("0001-01-02T00:00:00Z", "0001-01-03T00:00:00Z", "P36500D")
}
