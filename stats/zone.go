package stats

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// zoneForm is the form of a zone's name in the time zone database: a path of few short parts, each beginning with a letter.
var zoneForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z][A-Za-z0-9_+-]{0,31}){0,2}$`)

var errNoZone = errors.New("no name of a zone")

// zones has every zone that was loaded, by name: as many as the database has at most, some 600 of some kilobytes each.
var zones sync.Map

// LoadZone returns the zone of a name of the IANA time zone database, such as "Europe/Berlin" or "UTC". Whatever has no zone
// there, "" and "Local" among it, is refused with fault Invalid. Zones are read from the system, or from time/tzdata where a
// program has it, once. Safe for concurrent use.
func LoadZone(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := readZone(name)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "a time zone is a name of the IANA database, such as UTC or Europe/Berlin")
	}
	first, _ := zones.LoadOrStore(name, zone)
	return first.(*time.Location), nil
}

// readZone looks for name where package time does, and refuses names of other things there: the machine's own zone, and the
// copies of all zones below posix and, with leap seconds, right that some systems have.
func readZone(name string) (*time.Location, error) {
	top, _, _ := strings.Cut(name, "/")
	switch top {
	case "Local", "localtime", "posix", "posixrules", "right":
		return nil, errNoZone
	}
	if !zoneForm.MatchString(name) {
		return nil, errNoZone
	}
	return time.LoadLocation(name)
}
