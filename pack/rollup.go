package pack

import (
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
	"github.com/readout-dev/readout/store"
)

// What a rollup needs to be worth its row and its sketch.
const (
	HourMin   = 200 // readings of an hour that has a row
	SketchMin = 512 // readings of a rollup that has a sketch of up to stats.MaxExact values

	daySketchMin = 64 // readings of a day that has a smaller one
)

// Rollups returns the rollup of a day and those of its hours that have one, as they are stored for rs: all readings of one
// series on one UTC day, at least one, sorted and distinct. The same readings give the same bits.
//
// The day's summary and its line are put together from those of its hours, in their order, so that no day must be in memory
// at once.
func Rollups(rs []reading.Reading) (day store.Rollup, hours []store.Rollup) {
	var r roller
	r.begin(rs[0].Series, floor(rs[0].Time, dayLen))
	r.add(rs)
	return r.finish()
}

// roller computes the rollups of a series on a day from its readings, which come in order and piece by piece.
type roller struct {
	day    store.Rollup
	line   stats.Line // through what the day holds
	hours  []store.Rollup
	hour   int64             // the one that is open
	open   []reading.Reading // of that hour, as far as it came in pieces
	sketch *stats.Sketch     // of the day, without loose
	loose  []reading.Reading // of hours with few readings, until they are worth a sketch
}

func (r *roller) begin(series, start int64) {
	*r = roller{open: r.open[:0], loose: r.loose[:0], hour: start}
	r.day = store.Rollup{Series: series, Start: start}
}

// add takes the next readings; those of other days are left out.
func (r *roller) add(rs []reading.Reading) {
	rs = between(rs, r.day.Start, r.day.Start+dayLen)
	for len(rs) > 0 {
		if rs[0].Time >= r.hour+hourLen {
			r.closeHour()
			r.hour = floor(rs[0].Time, hourLen)
		}
		n := search(rs, r.hour+hourLen)
		if n < len(rs) && len(r.open) == 0 { // the whole hour
			r.summarize(rs[:n])
			r.hour += hourLen
		} else {
			r.open = append(r.open, rs[:n]...)
		}
		rs = rs[n:]
	}
}

func (r *roller) closeHour() {
	r.summarize(r.open)
	r.open = r.open[:0]
}

// summarize takes all readings of the open hour.
func (r *roller) summarize(rs []reading.Reading) {
	if len(rs) == 0 {
		return
	}
	line := stats.NewLine(rs, nil)
	hour := store.Rollup{
		Series: r.day.Series, Start: r.hour, Summary: stats.Summarize(rs), Area: line.Area, Increase: line.Increase,
	}
	r.day.Summary = r.day.Merge(hour.Summary)
	r.line = r.line.Append(line)
	if len(rs) >= SketchMin {
		sketch := stats.NewSketch(rs)
		r.addSketch(sketch)
		hour.Sketch = sketch.Append(nil)
	} else if r.loose = append(r.loose, rs...); len(r.loose) >= 8*SketchMin {
		r.addLoose()
	}
	if len(rs) >= HourMin {
		r.hours = append(r.hours, hour)
	}
}

func (r *roller) addSketch(s *stats.Sketch) {
	if r.sketch == nil {
		r.sketch = new(stats.Sketch)
	}
	r.sketch.Merge(s)
}

func (r *roller) addLoose() {
	r.addSketch(stats.NewSketch(r.loose))
	r.loose = r.loose[:0]
}

// finish returns the rollups of what was added; a day without readings has count 0.
func (r *roller) finish() (day store.Rollup, hours []store.Rollup) {
	r.closeHour()
	r.day.Area, r.day.Increase = r.line.Area, r.line.Increase
	if r.day.Count < SketchMin {
		r.day.Sketch = smallSketch(r.loose)
	} else {
		r.addLoose()
		r.day.Sketch = r.sketch.Append(nil)
	}
	return r.day, r.hours
}

// smallSketch returns the sketch of a day with few readings: in bins, unless that of the values themselves takes at most
// half a byte a reading or is shorter still; none of a day with so few that they are read as quickly. A slow fleet has many
// such days.
func smallSketch(rs []reading.Reading) []byte {
	if len(rs) < daySketchMin {
		return nil
	}
	sketch := stats.NewSketch(rs)
	exact := sketch.Append(nil)
	if 2*len(exact) <= len(rs) {
		return exact
	}
	sketch.Spill()
	if bins := sketch.Append(nil); len(bins) < len(exact) {
		return bins
	}
	return exact
}
