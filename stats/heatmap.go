package stats

import (
	"cmp"
	"slices"
	"time"
)

// Cell is a cell of a heatmap: an hour of a day, or of all days of one weekday, on the clock of a zone.
type Cell struct {
	Day     string // 2018-04-03; "" for all of the weekday
	Weekday time.Weekday
	Hour    int // 0 to 23
	Bucket  *Bucket
}

// Heatmap puts the buckets, which are of the same series and within an hour each, into the cells of their beginnings; nil
// ones are skipped. An hour that the clock shows twice is one cell. Cells have readings, and come by day, or by weekday from
// Monday on, then by hour. A cell may share its bucket with buckets.
func Heatmap(buckets []*Bucket, zone *time.Location, byWeekday bool) []Cell {
	if zone == nil {
		zone = time.UTC
	}
	cells := make(map[Cell]*Bucket)
	own := make(map[Cell]bool) // those whose bucket is a copy
	for _, b := range buckets {
		if b.Empty() {
			continue
		}
		at := time.UnixMicro(b.Start).In(zone)
		cell := Cell{Day: at.Format(time.DateOnly), Weekday: at.Weekday(), Hour: at.Hour()}
		if byWeekday {
			cell.Day = ""
		}
		there := cells[cell]
		switch {
		case there == nil:
			cells[cell] = b
			continue
		case !own[cell]:
			there, own[cell] = there.clone(), true
			cells[cell] = there
		}
		there.Extend(b)
	}
	return inOrder(cells)
}

func inOrder(cells map[Cell]*Bucket) []Cell {
	sorted := make([]Cell, 0, len(cells))
	for cell, b := range cells {
		cell.Bucket = b
		sorted = append(sorted, cell)
	}
	slices.SortFunc(sorted, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(fromMonday(a.Weekday), fromMonday(b.Weekday)), cmp.Compare(a.Hour, b.Hour))
	})
	return sorted
}

// fromMonday counts the days since Monday.
func fromMonday(d time.Weekday) int { return (int(d) + 6) % 7 }
