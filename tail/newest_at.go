package tail

import "github.com/readout-dev/readout/reading"

// Newest is what the newest reading of a series is, and since when.
type Newest struct {
	reading.Reading // of a Known one
	State           State
	Offset          int64 // of the entry that made it so; of what was there when the project was started, where it was started from
}

// Newest returns the newest reading of each of the series, packed or not, in their order, as of exactly one offset: with all
// entries up to it and nothing of later ones. Those that are Unknown can be resolved; see Resolve. Of a project that was
// not started the offset is 0 and each series has None.
func (t *Tail) Newest(projectID int64, series []int64) (offset int64, all []Newest) {
	all = make([]Newest, len(series))
	p := t.project(projectID)
	if p == nil {
		return 0, all
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for i, id := range series {
		c := p.columns[id]
		if c == nil {
			continue
		}
		all[i] = Newest{State: c.newest.state, Offset: c.newest.offset}
		if c.newest.state == Known {
			all[i].Reading = reading.Reading{Series: id, Time: c.newest.time, Value: c.newest.value}
		}
	}
	return p.offset, all
}
