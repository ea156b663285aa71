// Package reading holds the nouns of Readout: what a reading is, which series it belongs to, what may be stored, and
// the bytes a group of readings becomes in the journal and at rest.
//
// It imports nothing of ours but the error vocabulary. Start with Reading and Batch, then check.go for what may be stored,
// codec.go for the bytes of the journal and compact.go for those at rest.
package reading

// Reading is one value of one series at one time. (Series, Time) identifies it: sent twice it is one reading; sent again
// with another value it is a correction, and the last one wins.
type Reading struct {
	Series int64   // the series' id (in a Batch that is not resolved yet: its place in Batch.Series)
	Time   int64   // microseconds since 1970-01-01 UTC
	Value  float64 // finite
}

// Runs calls yield with each series of sorted readings and its readings, in order.
func Runs(rs []Reading) func(yield func(series int64, run []Reading) bool) {
	return func(yield func(int64, []Reading) bool) {
		for len(rs) > 0 {
			n := 1
			for n < len(rs) && rs[n].Series == rs[0].Series {
				n++
			}
			if !yield(rs[0].Series, rs[:n]) {
				return
			}
			rs = rs[n:]
		}
	}
}

// Part says where the readings of one series are among sorted ones: from From on, up to To, which is not one of them.
type Part struct {
	Series   int64
	From, To int32
}

// Parts returns where each series of sorted readings is, in order: for whoever looks for some of them more than once.
func Parts(rs []Reading) []Part {
	var parts []Part
	from := 0
	for series, run := range Runs(rs) {
		parts = append(parts, Part{series, int32(from), int32(from + len(run))})
		from += len(run)
	}
	return parts
}
