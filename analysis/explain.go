package analysis

import (
	"slices"
	"time"
)

// work counts what was read.
type work struct {
	readings    int
	fresh       int // of them, that came from the tail
	hours, days int
}

func (w work) and(o work) work {
	return work{w.readings + o.readings, w.fresh + o.fresh, w.hours + o.hours, w.days + o.days}
}

func (w work) explain(took time.Duration) Explain {
	x := Explain{Resolution: "RAW", Readings: w.readings, Rollups: w.hours + w.days, Took: took}
	for _, s := range []struct {
		name string
		n    int
	}{{"TAIL", w.fresh}, {"RAW", w.readings - w.fresh}, {"HOUR", w.hours}, {"DAY", w.days}} {
		if s.n > 0 {
			x.add(s.name)
		}
	}
	return x
}

// add adds a source; they come from the finest to the coarsest.
func (x *Explain) add(source string) {
	if x.Sources = append(x.Sources, source); source != "TAIL" { // which is as fine as what is packed
		x.Resolution = source
	}
}

// And returns how two answers together were computed.
func (x Explain) And(o Explain) Explain {
	both := Explain{Resolution: "RAW", Readings: x.Readings + o.Readings, Rollups: x.Rollups + o.Rollups, Took: x.Took + o.Took}
	for _, source := range []string{"TAIL", "RAW", "HOUR", "DAY"} {
		if slices.Contains(x.Sources, source) || slices.Contains(o.Sources, source) {
			both.add(source)
		}
	}
	return both
}
