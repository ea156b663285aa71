package entity

// Backlog holds changes that wait to be told, in their order and at most 1,000 of them: with more, those of devices, series
// and keys become one Missed for each project, and where that is not enough everything becomes one MissedAll. Its zero value
// is empty.
type Backlog struct {
	changes []Change
	missed  map[int64]bool // the projects that changes has a Missed of; 0: of everything
}

const maxBacklog = 1000

// Add takes c in. It reports false when what is there says as much already.
func (b *Backlog) Add(c Change) bool {
	if !b.add(c) {
		return false
	}
	if len(b.changes) > maxBacklog {
		b.squeeze()
	}
	return true
}

// Take empties it.
func (b *Backlog) Take() []Change {
	taken := b.changes
	*b = Backlog{}
	return taken
}

func (b *Backlog) add(c Change) bool {
	if b.missed[0] || c.isWithin() && b.missed[c.Project] {
		return false
	}
	if c.Kind == Missed {
		if b.missed == nil {
			b.missed = map[int64]bool{}
		}
		b.missed[c.Project] = true
	}
	b.changes = append(b.changes, c)
	return true
}

// squeeze says it in fewer words. What is left is at most half of what may be, so that this does not happen at each change.
func (b *Backlog) squeeze() {
	for _, c := range b.Take() {
		if c.isWithin() {
			c = MissedIn(c.Project)
		}
		b.add(c)
	}
	if len(b.changes) > maxBacklog/2 {
		b.Take()
		b.add(MissedAll())
	}
}

// isWithin reports whether a Missed of its project says all that c does.
func (c Change) isWithin() bool {
	return c.Kind == Missed || c.Type&(Device|Series|Key) != 0
}
