package graph

import (
	"maps"
	"slices"

	"github.com/readout-dev/readout/entity"
)

// hear has all that is remembered of entities heed their changes, until stop is called.
func (r *Resolver) hear() (stop func()) {
	return r.Entities.Hear(func(changes []entity.Change) {
		r.rights.changed(changes)
		if slices.ContainsFunc(changes, revokes) {
			r.Auth.Forget()
		}
		altered := map[int64]struct{}{} // each once, however many series a device has that goes
		for _, c := range changes {
			if alters(c) {
				altered[c.Project] = struct{}{}
			}
		}
		for project := range altered {
			for _, project := range r.followed(project) {
				r.refilter(project)
			}
		}
	})
}

// revokes reports whether there may be a key or a log-in less.
func revokes(c entity.Change) bool {
	return c.Kind == entity.Missed || c.Kind == entity.Deleted && c.Type&(entity.Key|entity.Session|entity.User|entity.Device|entity.Project) != 0
}

// alters reports whether a filter of series may match others, but for those that are new.
func alters(c entity.Change) bool {
	return c.Kind == entity.Missed || c.Kind != entity.Created && c.Type&(entity.Series|entity.Device|entity.Project) != 0
}

// followed returns the projects that streams follow, of which a change is that names a project; 0 is all.
func (r *Resolver) followed(project int64) []int64 {
	if project != 0 {
		return []int64{project}
	}
	r.places.mu.Lock()
	defer r.places.mu.Unlock()
	return slices.Collect(maps.Keys(r.places.of))
}
