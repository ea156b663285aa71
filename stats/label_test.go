package stats

import "testing"

func TestLabelsTellBucketsOfOnePlaceApart(t *testing.T) {
	t.Parallel()
	f := func(zone, every, start, want string) {
		t.Helper()
		w := Window{Every: periodOf(t, every), Zone: zoneOf(t, zone)}
		if got := w.Label(momentOf(t, start)); got != want {
			t.Errorf("%s in %s at %s: %q, want %q", every, zone, start, got, want)
		}
	}
	f("Europe/Berlin", "PT10S", "2018-10-28T02:59:50+02:00", "2018-10-28T02:59:50+02:00")
	f("Europe/Berlin", "PT10S", "2018-10-28T02:59:50+01:00", "2018-10-28T02:59:50+01:00")
	f("Europe/Berlin", "PT10S", "2018-10-28T03:00:00+01:00", "2018-10-28T03:00:00")
	f("Europe/Berlin", "PT2H", "2018-10-28T02:00:00+02:00", "2018-10-28T02") // has the hour twice
	f("Europe/Berlin", "PT2H", "2018-03-25T03:00:00+02:00", "2018-03-25T02") // its place begins with a skipped hour
	f("Europe/London", "PT1H", "2018-10-28T01:00:00Z", "2018-10-28T01+00:00")
	f("America/Montevideo", "PT1H", "1920-05-01T02:44:51Z", "1920-04-30T23-03:44:51")
	f("America/Montevideo", "PT1H", "1920-05-01T03:44:51Z", "1920-04-30T23-04:00")
}

func TestBucketsWithoutAPlaceHaveNoLabel(t *testing.T) {
	t.Parallel()
	for _, every := range []string{"P2D", "P2W", "P2M", "P6M", "P2Y", "PT7H", "PT48H", "PT0.5S", "P1DT1H", "P1M1D"} {
		if label := (Window{Every: periodOf(t, every)}).Label(century); label != "" {
			t.Errorf("%s has %q", every, label)
		}
	}
	for _, unit := range []Unit{Minute, Hour, Day, Week, Month, Quarter, Year} {
		if label := (Window{Every: unit.Period(), FromRange: true}).Label(century); label != "" {
			t.Errorf("%s of a range has %q", unit, label)
		}
		if label := (Window{Every: unit.Period()}).Label(century); label == "" {
			t.Errorf("%s has none", unit)
		}
	}
}
