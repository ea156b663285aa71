package journal

import "sync"

// inbox holds the projects of which the other replicas have news. Safe for concurrent use.
type inbox struct {
	wake chan struct{} // has a token when there is something

	mu       sync.Mutex
	all      bool
	projects map[int64]bool
}

func newInbox() *inbox {
	return &inbox{wake: make(chan struct{}, 1), projects: make(map[int64]bool)}
}

// put puts in projects, or that all are to be looked at.
func (i *inbox) put(all bool, projects ...int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all = i.all || all
	for _, p := range projects {
		i.projects[p] = true
	}
	select {
	case i.wake <- struct{}{}:
	default: // whoever reads will look anyway
	}
}

// take empties it.
func (i *inbox) take() (all bool, projects []int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for p := range i.projects {
		projects = append(projects, p)
	}
	all = i.all
	i.all = false
	clear(i.projects)
	return all, projects
}
