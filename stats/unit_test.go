package stats

import (
	"strings"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
)

func TestUnitsArePeriods(t *testing.T) {
	t.Parallel()
	f := func(u Unit, want string) {
		t.Helper()
		if got := u.Period().String(); got != want {
			t.Errorf("%s is %s, want %s", u, got, want)
		}
		for _, s := range []string{string(u), strings.ToLower(string(u))} {
			if got, err := ParseUnit(s); err != nil || got != u {
				t.Errorf("%q is read as %q, %v", s, got, err)
			}
		}
	}
	f(Minute, "PT1M")
	f(Hour, "PT1H")
	f(Day, "P1D")
	f(Week, "P1W")
	f(Month, "P1M")
	f(Quarter, "P3M")
	f(Year, "P1Y")
}

func TestParseUnitRefusesWhatIsNoUnit(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "Day", "days", "second", "1d", " day", "decade", "ſecond"} {
		if u, err := ParseUnit(s); !fault.Is(err, fault.Invalid) || u != "" || !Unit(s).Period().IsZero() {
			t.Errorf("%q is read as %q, %v", s, u, err)
		}
	}
}
