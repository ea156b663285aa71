// Package verify proves that what is stored of readings is whole: the journal has every offset, every payload decodes and is
// what its row says, nothing is packed twice, and rollups and latest readings are what computing them again gives.
//
// It reads one project after the other, each as of one moment, while a server may run, and changes nothing. Memory is
// bounded by what the largest day of one series holds. What retention may have dropped is not missed.
//
// Start reading at Run; journal.go, young.go, chunk.go, rollup.go and latest.go have one table each, walk.go brings them
// together series by series.
package verify

import (
	"cmp"
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/store"
)

// Finding is something that is not as it must be. It never holds what was stored.
type Finding struct {
	Project  int64  `json:"project"`
	Table    string `json:"table"`
	Key      string `json:"key"`     // the row or rows, in words
	Problem  string `json:"problem"` // one of a few sentences
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found,omitempty"`
}

// Progress is how far a Run is.
type Progress struct {
	Project, Projects int // the one that is being read, counted from 1, and how many there are
	Rows, Bytes       int64
}

// Options of Run; the zero value verifies everything.
type Options struct {
	Project     int64          // 0 = all
	MaxFindings int            // of a project; 0 = 1,000. The last one says that there are more
	Progress    func(Progress) // told from time to time and at the end; nil = nobody
	Now         time.Time      // decides what retention may have dropped; zero = now
}

// Run returns what is wrong, project by project; nothing when all is well. Its error is one of the database (see
// store.Fault) or ctx's, and then what was found before is returned with it.
func Run(ctx context.Context, pool *pgxpool.Pool, opt Options) ([]Finding, error) {
	opt.MaxFindings = cmp.Or(opt.MaxFindings, 1000)
	if opt.Now.IsZero() {
		opt.Now = time.Now()
	}
	projects := []int64{opt.Project}
	r := &report{opt: opt}
	if opt.Project == 0 {
		var err error
		if projects, err = store.Projects(ctx, pool); err != nil {
			return nil, err
		}
		orphans, err := store.OrphanProjects(ctx, pool)
		if err != nil {
			return nil, err
		}
		projects = append(projects, orphans...)
	}
	r.progress.Projects = len(projects)
	for _, project := range projects {
		r.begin(project)
		err := store.Inspect(ctx, pool, project, opt.Now, func(in *store.Inspection) error { return inspect(ctx, in, r) })
		if err != nil && err != errFull { //nolint:errorlint // it is never wrapped
			return r.findings, err
		}
	}
	r.tell()
	return r.findings, nil
}

// inspect looks at all tables of a project.
func inspect(ctx context.Context, in *store.Inspection, r *report) error {
	if !in.Exists {
		r.add("projects", "", "rows of a project that does not exist", "a project", "none")
	}
	j := journalCheck{report: r, in: in, touched: map[int64]bool{}}
	if err := j.run(ctx); err != nil {
		return err
	}
	for _, version := range in.Doubles {
		r.add("chunk", keyf("version %d", version), "a version is there twice", "once", "more often")
	}
	w := newWalk(in, r, j.touched)
	if err := w.run(ctx); err != nil {
		return err
	}
	return r.full()
}
