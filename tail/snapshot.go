package tail

import "github.com/readout-dev/readout/reading"

// Snapshot is what a Tail holds of some series in a range of time, as of one offset.
type Snapshot struct {
	// Offset is that of the last entry which is included: all of it, and nothing of later ones.
	Offset int64
	// Readings has those of each of the series that are not packed; some of them may be packed meanwhile.
	Readings [][]reading.Reading
	// Deletions are those that packed readings may not know of. They do not concern Readings.
	Deletions []reading.Deletion
}

// Snapshot returns the readings of each of the series with from <= time < to (µs), and the deletions in that range. Whoever
// goes on with the entries behind its offset has every reading once. A project that was not started has offset 0 and
// nothing else.
//
// What it leaves out as packed was packed before the call; see Trim.
func (t *Tail) Snapshot(projectID int64, series []int64, from, to int64) Snapshot {
	s := Snapshot{Readings: make([][]reading.Reading, len(series))}
	p := t.project(projectID)
	if p == nil {
		return s
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	s.Offset = p.offset
	for i, id := range series {
		s.Readings[i] = p.columns[id].between(from, to)
		for _, d := range p.pending[id] {
			if max(d.From, from) < min(d.To, to) {
				s.Deletions = append(s.Deletions, d.Deletion)
			}
		}
	}
	return s
}
