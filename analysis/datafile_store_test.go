package analysis_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

// dataState is how far a store is when it is asked: what was loaded is in one of them, what comes late comes afterwards.
type dataState struct {
	name  string
	reach func(p *dataProject, file *dataFile)
}

var dataStates = []dataState{
	{"tail", func(p *dataProject, f *dataFile) { // nothing is packed
		p.append(f.early)
		p.change(f.late)
	}},
	{"packed", func(p *dataProject, f *dataFile) { // in young rows, without rollups
		p.append(f.early)
		p.pack()
		p.change(f.late)
	}},
	{"settled", func(p *dataProject, f *dataFile) { // in chunks and rollups; what is late makes them stale
		p.append(f.early)
		p.settle()
		p.change(f.late)
	}},
	{"settled again", func(p *dataProject, f *dataFile) { // what was late is settled, too
		p.append(f.early)
		p.settle()
		p.change(f.late)
		p.settle()
	}},
	{"half and half", func(p *dataProject, f *dataFile) { // each third reading settled, packed, or in the tail
		var parts [3][]reading.Reading
		for i, r := range f.early {
			parts[i%3] = append(parts[i%3], r)
		}
		p.append(parts[0])
		p.settle()
		p.append(parts[1])
		p.pack()
		p.append(parts[2])
		p.change(f.late)
	}},
}

// dataStore is what a server has of the readings of many projects, one for each file.
type dataStore struct {
	pool    *pgxpool.Pool
	journal *journal.Journal
	packer  *pack.Packer
	engine  *analysis.Engine
	eager   *analysis.Engine // answers by rollups what it can
}

func newDataStore(t *testing.T) *dataStore {
	t.Helper()
	s := &dataStore{pool: testdb.New(t)}
	held := tail.New()
	follower := journal.NewFollower(s.pool, held)
	s.journal = journal.New(s.pool, follower, held.LatestTime, journal.Config{})
	s.packer = pack.New(s.pool, pack.Config{Packed: func(project, upto int64) { follower.Packed(project, upto) }})
	reader := history.New(s.pool, held, follower, history.Config{})
	s.engine, s.eager = analysis.New(reader, analysis.Config{}), analysis.New(eager{reader}, analysis.Config{})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.journal.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return s
}

// dataProject is the project of one file.
type dataProject struct {
	*dataStore
	t  *testing.T
	id int64
}

func (s *dataStore) newProject(t *testing.T) *dataProject {
	t.Helper()
	p := &dataProject{dataStore: s, t: t}
	row := s.pool.QueryRow(t.Context(), `insert into projects (name) values ('test') returning id`)
	if err := row.Scan(&p.id); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *dataProject) append(rs []reading.Reading) {
	p.t.Helper()
	for piece := range slices.Chunk(rs, 20_000) {
		if _, err := p.journal.Append(p.t.Context(), p.id, slices.Clone(piece)); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *dataProject) change(changes []dataChange) {
	p.t.Helper()
	for _, c := range changes {
		p.append(c.readings)
		if c.deletion == nil {
			continue
		}
		if _, err := p.journal.Delete(p.t.Context(), p.id, []reading.Deletion{*c.deletion}); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *dataProject) pack() {
	p.t.Helper()
	if err := p.packer.Pack(p.t.Context(), p.id); err != nil {
		p.t.Fatal(err)
	}
}

// settle settles all days that are packed: it is long after them.
func (p *dataProject) settle() {
	p.t.Helper()
	p.pack()
	if err := p.packer.Settle(p.t.Context(), p.id, dataNow); err != nil {
		p.t.Fatal(err)
	}
}

// eager is a history that says of every range that it holds very much, so that an engine answers by rollups what it can.
type eager struct{ *history.Reader }

func (eager) Look(context.Context, history.LookQuery, func(history.Span) error) (history.Look, error) {
	return history.Look{Readings: math.MaxInt32}, nil
}

func (eager) Estimate(context.Context, int64, []int64, int64, int64, int) (int, bool, error) {
	return math.MaxInt32, false, nil
}
