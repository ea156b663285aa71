package ingest

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// maxKnown bounds the series that a project's part of the registry remembers; at the bound it starts anew.
const maxKnown = 1 << 20

// Registry knows the id of each series that readings name, and makes those that are new: in the steady state a request
// costs no query. It is a journal.View, by which it learns of series that were deleted, in whatever process. Safe for
// concurrent use.
type Registry struct {
	pool *pgxpool.Pool

	mu       sync.Mutex
	projects map[int64]*project
}

// project is what the registry knows of one project: series by what names them, their units left out.
type project struct {
	mu    sync.RWMutex
	known map[reading.Series]store.SeriesID
}

// NewRegistry returns a registry that knows nothing yet.
func NewRegistry(pool *pgxpool.Pool) *Registry {
	return &Registry{pool: pool, projects: map[int64]*project{}}
}

var _ journal.View = (*Registry)(nil)

// Start implements journal.View: a project whose entries were skipped may have lost series by them.
func (r *Registry) Start(b journal.Beginning) { r.Forget(b.Project) }

// Apply implements journal.View: a series that lost all its readings may be deleted itself.
func (r *Registry) Apply(e journal.Entry) {
	for _, d := range e.Deletions {
		if d == reading.DeleteAll(d.Series) {
			r.Forget(e.Project)
			return
		}
	}
}

// ForgetProject implements journal.View.
func (r *Registry) ForgetProject(project int64) { r.Forget(project) }

// Forget drops what is known of a project: after devices or series of it were changed or deleted.
func (r *Registry) Forget(project int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.projects, project)
}

// Resolve returns the ids of the series that a batch names, sent by p. Faults: those of store.ResolveSeries, with the
// Index of the item that names the series first.
func (r *Registry) Resolve(ctx context.Context, p *auth.Principal, batch *reading.Batch) ([]int64, error) {
	known := r.project(p.Project)
	ids, unknown, refused := known.ids(batch.Series)
	if refused >= 0 {
		return nil, store.ErrUnit.At(batch.Items[refused])
	}
	if len(unknown) == 0 {
		return ids, nil
	}
	missing := make([]reading.Series, len(unknown))
	for i, place := range unknown {
		missing[i] = batch.Series[place]
	}
	found, err := store.ResolveSeries(ctx, r.pool, p.Project, p.Device, missing)
	if f := new(fault.Error); errors.As(err, &f) && f.Index != nil {
		return nil, f.At(batch.Items[unknown[*f.Index]])
	}
	if err != nil {
		return nil, err
	}
	known.learn(missing, found)
	for i, place := range unknown {
		ids[place] = found[i].ID
	}
	return ids, nil
}

func (r *Registry) project(id int64) *project {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.projects[id]
	if p == nil {
		p = &project{known: map[reading.Series]store.SeriesID{}}
		r.projects[id] = p
	}
	return p
}

// ids returns the ids of series, and the places of those that must be asked for. A series that is known to have another
// unit is refused: its place, else -1.
func (p *project) ids(series []reading.Series) (ids []int64, unknown []int, refused int) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	ids = make([]int64, len(series))
	for i, s := range series {
		unit := s.Unit
		s.Unit = ""
		found, ok := p.known[s]
		switch {
		case !ok, unit != "" && found.Unit == "":
			unknown = append(unknown, i)
		case unit != "" && found.Unit != unit:
			return nil, nil, i
		}
		ids[i] = found.ID
	}
	return ids, unknown, -1
}

func (p *project) learn(series []reading.Series, found []store.SeriesID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known)+len(series) > maxKnown {
		clear(p.known)
	}
	for i, s := range series {
		s.Unit = ""
		p.known[s] = found[i]
	}
}
