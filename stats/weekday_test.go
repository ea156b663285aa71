package stats

import (
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

func TestWeekdaysAreThoseOfPackageTime(t *testing.T) {
	t.Parallel()
	if WeekdayOf(time.Monday) != 0 {
		t.Error("a week does not begin with Monday")
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		got := WeekdayOf(d)
		if got.String() != strings.ToUpper(d.String()) {
			t.Errorf("%s is %s", d, got)
		}
		for _, s := range []string{got.String(), strings.ToLower(got.String())} {
			if read, err := ParseWeekday(s); err != nil || read != got {
				t.Errorf("%q is read as %s, %v", s, read, err)
			}
		}
	}
}

func TestParseWeekdayRefusesWhatIsNoDay(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "Monday", "mon", "1", "someday"} {
		if d, err := ParseWeekday(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is read as %s, %v", s, d, err)
		}
	}
	if s := Weekday(7).String() + Weekday(-1).String(); s != "" {
		t.Errorf("what is no day is written %s", s)
	}
}
