package graph

import (
	"time"

	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// windowOf returns the window that is asked for; without one it is a single bucket, the whole range.
func windowOf(in *gql.WindowInput) (w stats.Window, err error) {
	if in == nil {
		return w, nil
	}
	switch {
	case (in.Every == nil) == (in.Calendar == nil):
		return w, fault.New(fault.Invalid, "a window has every or calendar, one of them")
	case in.Every != nil:
		w.Every = *in.Every
	default:
		w.Every = stats.Unit(*in.Calendar).Period()
	}
	if w.Zone, err = zoneOf(in.TimeZone); err != nil {
		return w, err
	}
	w.FromRange = in.Alignment != nil && *in.Alignment == gql.AlignmentRange
	if in.WeekStart != nil {
		w.WeekStart, err = stats.ParseWeekday(string(*in.WeekStart))
	}
	return w, err
}

// zoneOf returns the time zone of a name, UTC without one.
func zoneOf(name *string) (*time.Location, error) {
	if name == nil {
		return time.UTC, nil
	}
	return stats.LoadZone(*name)
}
