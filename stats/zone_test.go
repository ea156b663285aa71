package stats

import (
	"strings"
	"sync"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
)

func TestLoadZoneKnowsZonesOfTheDatabase(t *testing.T) {
	t.Parallel()
	names := []string{"Etc/GMT+5", "EST5EDT", "America/Argentina/Buenos_Aires", "America/North_Dakota/New_Salem", "America/Port-au-Prince"}
	for _, name := range append(names, oddZones...) {
		if zone, err := LoadZone(name); err != nil || zone.String() != name {
			t.Errorf("%s: %v, %v", name, zone, err)
		}
	}
}

func TestLoadZoneRefusesWhatIsNoName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", "Local", "localtime", "posixrules", "posix/Europe/Berlin", "right/Europe/Berlin", "Europe", "Europe/", "Europe/Atlantis",
		"Europe//Berlin", "/etc/localtime", "../zoneinfo/Europe/Berlin", "Europe/../Europe/Berlin", "./UTC", `Europe\Berlin`, "Europe/Berlin\x00", "zone.tab",
		"tzdata.zi", "+02:00", "GMT+02:00", " UTC", "UTC ", strings.Repeat("A", 1<<20), "Europe/" + strings.Repeat("A/", 1000),
	} {
		if zone, err := LoadZone(name); !fault.Is(err, fault.Invalid) || zone != nil {
			t.Errorf("%.50q: %v, %v", name, zone, err)
		}
	}
}

func TestLoadZoneLoadsAZoneOnce(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			a, errA := LoadZone("Indian/Kerguelen")
			b, errB := LoadZone("Indian/Kerguelen")
			if errA != nil || errB != nil || a != b {
				t.Errorf("%p, %p, %v, %v", a, b, errA, errB)
			}
		})
	}
	all.Wait()
}
