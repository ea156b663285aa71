package tail

// Count returns how many readings a Snapshot of the same would hold of all the series together, for the time of two
// searches in each.
func (t *Tail) Count(projectID int64, series []int64, from, to int64) (n int) {
	p := t.project(projectID)
	if p == nil || to <= from {
		return 0
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, id := range series {
		if c := p.columns[id]; c != nil {
			n += c.from(to) - c.from(from)
		}
	}
	return n
}
