package ingest

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// maxKnown bounds the series that a project's part of the registry remembers; at the bound it starts anew.
const maxKnown = 1 << 20

// Registry knows the id of each series that readings name, and makes those that are new: in the steady state a request
// costs no query. Safe for concurrent use.
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

// Forget drops what is known of a project: after devices or series of it were changed or deleted.
func (r *Registry) Forget(project int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.projects, project)
}

// Resolve returns the ids of the series that a batch names, sent by p. Faults: UnknownDevice, UnitMismatch, and those of
// store.ResolveSeries.
func (r *Registry) Resolve(ctx context.Context, p *auth.Principal, series []reading.Series) ([]int64, error) {
	known := r.project(p.Project)
	ids, missing, err := known.ids(series)
	if err != nil || len(missing) == 0 {
		return ids, err
	}
	found, err := store.ResolveSeries(ctx, r.pool, p.Project, p.Device, missing)
	if err != nil {
		return nil, err
	}
	known.learn(missing, found)
	ids, missing, err = known.ids(series)
	if err == nil && len(missing) > 0 {
		// The registry was at its bound and started anew in between.
		return nil, fault.New(fault.Unavailable, "the project has too many new series at once: send fewer in a request")
	}
	return ids, err
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

// ids returns the ids of series, or those of them that must be asked for.
func (p *project) ids(series []reading.Series) (ids []int64, missing []reading.Series, err error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	ids = make([]int64, len(series))
	for i, s := range series {
		unit := s.Unit
		s.Unit = ""
		found, ok := p.known[s]
		switch {
		case !ok, unit != "" && found.Unit == "":
			s.Unit = unit
			missing = append(missing, s)
		case unit != "" && found.Unit != unit:
			return nil, nil, store.ErrUnit
		}
		ids[i] = found.ID
	}
	return ids, missing, nil
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
