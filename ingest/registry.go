package ingest

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// maxKnown bounds the series that a project's part of the registry remembers; at the bound it starts anew.
const maxKnown = 1 << 20

// Registry knows the id of each series that readings name, and makes those that are new: in the steady state a request
// costs no query. What it knows of a project is of one edition of its names, which the journal checks at each append, so
// that a series that was deleted or has another unit is never taken for what it was, whichever process changed it. Safe
// for concurrent use.
type Registry struct {
	pool *pgxpool.Pool
	tell func(...entity.Change)

	mu       sync.Mutex
	projects map[int64]*project
}

// project is what the registry knows of one project: series by what names them, their units left out.
type project struct {
	mu    sync.RWMutex
	names int64 // the edition of known; 0 while nothing is
	known map[reading.Series]store.SeriesID
}

// NewRegistry returns a registry that knows nothing yet. It has tell called with the devices and series that it makes, after
// their commit; tell is safe for concurrent use.
func NewRegistry(pool *pgxpool.Pool, tell func(...entity.Change)) *Registry {
	return &Registry{pool: pool, tell: tell, projects: map[int64]*project{}}
}

// Forget drops what is known of a project: after devices or series of it were changed or deleted.
func (r *Registry) Forget(project int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.projects, project)
}

// Resolve returns the ids of the series that a batch names, sent by p, and the edition of the project's names that they are
// of. Faults: those of store.ResolveSeries, with the Index of the item that names the series first.
func (r *Registry) Resolve(ctx context.Context, p *auth.Principal, batch *reading.Batch) (ids []int64, names int64, err error) {
	known := r.project(p.Project)
	ids, unknown, names := known.ids(batch.Series)
	for len(unknown) > 0 {
		missing := make([]reading.Series, len(unknown))
		for i, place := range unknown {
			missing[i] = batch.Series[place]
		}
		found, err := store.ResolveSeries(ctx, r.pool, p.Project, p.Device, missing)
		if f := new(fault.Error); errors.As(err, &f) && f.Index != nil {
			return nil, 0, f.At(batch.Items[unknown[*f.Index]])
		}
		if err != nil && store.IsConnection(err) {
			r.tell(entity.MissedIn(p.Project)) // it may be committed all the same
		}
		if err != nil {
			return nil, 0, err
		}
		r.tell(found.Changes...)
		known.learn(missing, found.Series, found.Names)
		for i, place := range unknown {
			ids[place] = found.Series[i].ID
		}
		if len(unknown) == len(ids) || found.Names == names {
			return ids, found.Names, nil
		}
		ids, unknown, names = known.ids(batch.Series) // what was known is of another edition
	}
	return ids, names, nil
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

// ids returns the ids of series, the places of those that must be asked for, and the edition of the others. Who names
// another unit than the known one is asked for, too: the known one may be outdated.
func (p *project) ids(series []reading.Series) (ids []int64, unknown []int, names int64) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	ids = make([]int64, len(series))
	for i, s := range series {
		unit := s.Unit
		s.Unit = ""
		found, ok := p.known[s]
		if !ok || unit != "" && unit != found.Unit {
			unknown = append(unknown, i)
		}
		ids[i] = found.ID
	}
	return ids, unknown, p.names
}

// learn takes in what an edition says of series. Of editions the later one is kept.
func (p *project) learn(series []reading.Series, found []store.SeriesID, names int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if names < p.names {
		return
	}
	if names > p.names || len(p.known)+len(series) > maxKnown {
		clear(p.known)
	}
	p.names = names
	for i, s := range series {
		s.Unit = ""
		p.known[s] = found[i]
	}
}
