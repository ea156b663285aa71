package journal

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Follower keeps views up to date with the journals of the projects that somebody asked for: each view gets each entry
// once, in the order of offsets, whoever wrote it. Safe for concurrent use.
type Follower struct {
	reader *Reader
	views  []View

	shared atomic.Bool         // others may write too: the database must be asked
	tell   func(project int64) // tells them that we wrote

	mu       sync.RWMutex // before a project's own
	projects map[int64]*project
}

// NewFollower returns a Follower that reads the database of pool. Every entry goes to views in the given order. It
// follows no project yet: see Follow.
func NewFollower(pool *pgxpool.Pool, views ...View) *Follower {
	return &Follower{
		reader: NewReader(pool), views: views, projects: make(map[int64]*project), tell: func(int64) {},
	}
}

// Follow returns when the views have everything of the project that was committed before: by this process, and, the
// first time or while other replicas are known (see Replicas), by any. Alone it then is three atomic reads, else a
// statement. Whoever reads a view calls it first. The first call loads, in the goroutine of its caller, and calls that
// come meanwhile wait for it.
//
// It does not check that the project exists: one without a journal is followed from offset 0. The project is followed
// until Forget. Faults: Unavailable when the database is away.
func (f *Follower) Follow(ctx context.Context, project int64) error {
	p := f.obtain(project)
	if f.shared.Load() {
		if _, err := f.learn(ctx, []int64{project}); err != nil {
			return err
		}
	}
	return p.catchUp(ctx, f)
}

// CatchUp returns when the views have everything of the project that any process committed before, and know what is
// packed of it. Once a project is loaded it costs one statement; it is for those who hear that another process has
// written. A project that is not followed is left alone, one that does not exist any more is forgotten. Faults:
// Unavailable when the database is away.
func (f *Follower) CatchUp(ctx context.Context, project int64) error {
	return f.catchUpSome(ctx, []int64{project})
}

// Packed takes note that the entries of project up to the offset upto are packed, and tells the views that are
// Trimmers. It returns when they are done.
func (f *Follower) Packed(project, upto int64) {
	f.tell(project)
	if p := f.project(project); p != nil && p.started.Load() {
		p.learn(upto, upto)
		p.trim(f.views)
	}
}

// load is Follow for the sake of a loaded project; it does not wait for what was committed since.
func (f *Follower) load(ctx context.Context, project int64) error {
	p := f.obtain(project)
	if p.loaded.Load() {
		return nil
	}
	return p.catchUp(ctx, f)
}

// settle waits, as long as ctx holds, for a catch-up of the project that is under way, if there is one.
func (f *Follower) settle(ctx context.Context, project int64) {
	if p := f.project(project); p != nil {
		p.settle(ctx)
	}
}

// Committed tells that e was committed by this process; other replicas are told. If the views have all that comes before it, they get it;
// entries in between, which another process wrote, are read from the journal first; what the views have already is
// ignored, and so is a project that is not followed. While a Follow of the project is under way it returns at once: that
// Follow goes on to e. After an error the views stay behind until the next Follow or Committed. Faults: Unavailable.
func (f *Follower) Committed(ctx context.Context, e Entry) error {
	f.tell(e.Project)
	p := f.project(e.Project)
	if p == nil || !p.committed(f.views, e) {
		return nil
	}
	return p.catchUp(ctx, f)
}

// Applied returns the offset of the last entry of the project that the views have, or from which they started; ok is
// false when it is not followed.
func (f *Follower) Applied(project int64) (offset int64, ok bool) {
	p := f.project(project)
	if p == nil || !p.started.Load() {
		return 0, false
	}
	return p.applied.Load(), true
}

// Forget ends the following of a project, which was deleted or is not needed any more: the views forget it.
func (f *Follower) Forget(project int64) {
	f.mu.Lock() // held to the end, so that nobody starts the project anew before the views have forgotten it
	defer f.mu.Unlock()
	if p := f.projects[project]; p != nil {
		delete(f.projects, project)
		p.forget(f.views)
	}
}

// obtain returns the state of a project, a new one if need be.
func (f *Follower) obtain(id int64) *project {
	if p := f.project(id); p != nil {
		return p
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.projects[id]; p != nil {
		return p
	}
	p := &project{id: id}
	f.projects[id] = p
	return p
}

// project returns the state of a project; nil when it is not followed.
func (f *Follower) project(id int64) *project {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.projects[id]
}
