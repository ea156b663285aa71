package analysis

import "time"

// work counts what was read.
type work struct{ readings, hours, days int }

func (w work) and(o work) work {
	return work{w.readings + o.readings, w.hours + o.hours, w.days + o.days}
}

func (w work) explain(took time.Duration) Explain {
	x := Explain{Resolution: "RAW", Readings: w.readings, Rollups: w.hours + w.days, Took: took}
	for _, s := range []struct {
		name string
		n    int
	}{{"RAW", w.readings}, {"HOUR", w.hours}, {"DAY", w.days}} {
		if s.n > 0 {
			x.Sources = append(x.Sources, s.name)
			x.Resolution = s.name
		}
	}
	return x
}
