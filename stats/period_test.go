package stats

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/internal/fault"
)

func TestParsePeriodReadsDurationsOfISO8601(t *testing.T) {
	t.Parallel()
	f := func(s string, want Period, canonical string) {
		t.Helper()
		got, err := ParsePeriod(s)
		if err != nil || got != want || got.String() != canonical {
			t.Errorf("%s: %#v, %v, which writes itself %s", s, got, err, got)
		}
	}
	f("PT15M", Period{Time: 15 * time.Minute}, "PT15M")
	f("P1M", Period{Months: 1}, "P1M")
	f("P1W", Period{Days: 7}, "P1W")
	f("P7D", Period{Days: 7}, "P1W")
	f("P10D", Period{Days: 10}, "P10D")
	f("P3M", Period{Months: 3}, "P3M")
	f("P1Y", Period{Months: 12}, "P1Y")
	f("P18M", Period{Months: 18}, "P1Y6M")
	f("P1Y2M3W4DT5H6M7.08S", Period{14, 25, 5*time.Hour + 6*time.Minute + 7*time.Second + 80*time.Millisecond}, "P1Y2M25DT5H6M7.08S")
	f("P1M7D", Period{Months: 1, Days: 7}, "P1M7D")
	f("P7DT1H", Period{Days: 7, Time: time.Hour}, "P7DT1H")
	f("PT36H", Period{Time: 36 * time.Hour}, "PT36H")
	f("PT90M", Period{Time: 90 * time.Minute}, "PT1H30M")
	f("PT3600S", Period{Time: time.Hour}, "PT1H")
	f("PT0.001S", Period{Time: time.Millisecond}, "PT0.001S")
	f("PT0.001001S", Period{Time: 1001 * time.Microsecond}, "PT0.001001S")
	f("PT59.999999S", Period{Time: time.Minute - time.Microsecond}, "PT59.999999S")
	f("P0DT1H", Period{Time: time.Hour}, "PT1H")
	f("P100Y", Period{Months: 1200}, "P100Y")
	f("P36524D", Period{Days: 36524}, "P36524D")
}

func TestParsePeriodRefusesWhatIsNoPeriod(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "P", "PT", "P1DT", "T1H", "1", "0", "-1", "NaN", "1ns", "1mo", "1m", "1e9d", "15m", "1h", "P1", "P1H", "PT1D", "PT1Y",
		"p1d", "P1d", "pt1h", " P1D", "P1D ", "P1D\n", "P1D1D",
		"P1D1M", "PT1M1H", "P1DT1H1D", "PTT1H", "P1,5D", "P0.5D", "PT0.5H", "PT0.5M", "PT1.5H1S",
		"PT1,5S", "PT.5S", "PT1.S",
		"PT0.0000001S", "PT1e3S", "P-1D", "-P1D", "+P1D", "P+1D", "P1D/P2D", "P१D", "R5/P1D", "P00010101T000000",
		"P0D", "P0Y", "PT0S", "PT0.0S", "PT0.000999S",
		"P101Y", "P1201M", "P36525D", "P5219W", "PT876600H", "P100YT1S", "P60Y60Y", "P60Y720M",
		"P9999999999Y", "P9999999999M", "P9999999999W", "P9999999999D", "PT5124096H", "PT9999999999H", "PT9999999999M", "PT9999999999S",
		"P9999999999Y9999999999M9999999999W9999999999DT9999999999H9999999999M9999999999.999999S",
		"P99999999999999999999D", "PT99999999999999999999999999S",
	} {
		if p, err := ParsePeriod(s); !fault.Is(err, fault.Invalid) || !p.IsZero() {
			t.Errorf("%q: %#v, %v", s, p, err)
		}
	}
}

func TestPeriodIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := Period{Months: rapid.IntRange(0, 300).Draw(t, "months"), Days: rapid.IntRange(0, 9000).Draw(t, "days")}
		p.Time = time.Duration(rapid.Int64Range(1000, 1<<49).Draw(t, "µs")) * time.Microsecond
		if got, err := ParsePeriod(p.String()); err != nil || got != p {
			t.Fatalf("%#v is written %s and read %#v, %v", p, p, got, err)
		}
	})
}

func TestOnlyTheZeroPeriodIsZero(t *testing.T) {
	t.Parallel()
	if p := (Period{}); !p.IsZero() || p.String() != "PT0S" {
		t.Errorf("it is written %s", p)
	}
	for _, p := range []Period{{Months: 1}, {Days: 1}, {Time: 1}} {
		if p.IsZero() {
			t.Errorf("%#v is zero", p)
		}
	}
}

func FuzzParsePeriod(f *testing.F) {
	for _, s := range []string{"PT15M", "P1Y2M3W4DT5H6M7.08S", "P", "PT0.000001S", "P100Y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePeriod(s)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || !p.IsZero() {
				t.Errorf("%q: %#v, %v", s, p, err)
			}
			return
		}
		if again, err := ParsePeriod(p.String()); err != nil || again != p || p.check() != nil {
			t.Errorf("%q is %#v, but %s is %#v, %v", s, p, p, again, err)
		}
	})
}
