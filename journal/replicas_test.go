package journal_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
)

// never is a pause that no test lives to see the end of.
const never = time.Hour

// together is a replica that knows of others, with connections of its own.
type together struct {
	*replica
	*journal.Replicas
	name       string
	changed    chan entity.Change // that others told of
	statements *atomic.Int64      // that it has sent
	leave      func()             // ends it
}

// join starts a replica beside those that are on the database already, and returns when these know of it.
func join(t *testing.T, server, name string, cfg journal.ReplicaConfig) *together {
	t.Helper()
	tracer := &statements{}
	pc, err := pgxpool.ParseConfig(withApplication(t, server, name))
	if err != nil {
		t.Fatal(err)
	}
	pc.ConnConfig.Tracer = tracer
	pool, err := pgxpool.NewWithConfig(t.Context(), pc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	r := &together{replica: newReplica(t, pool, journal.Config{DrainFor: time.Millisecond}), name: name, changed: make(chan entity.Change, 10_000), statements: &tracer.n}
	cfg.Metrics = r.metrics
	cfg.Changed = func(cs ...entity.Change) {
		for _, c := range cs {
			r.changed <- c
		}
	}
	r.Replicas = journal.NewReplicas(pool, r.follower, cfg)
	r.stop = running(t, r.Journal.Run)
	leave := running(t, r.Replicas.Run)
	r.leave = func() { r.stop(); leave() }
	select {
	case <-r.Ready():
	case <-time.After(20 * time.Second):
		t.Fatalf("%s is not ready", name)
	}
	return r
}

// statements counts statements.
type statements struct{ n atomic.Int64 }

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.n.Add(1)
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// follow follows projects.
func (r *together) follow(t *testing.T, projects ...int64) {
	t.Helper()
	for _, p := range projects {
		if err := r.follower.Follow(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

// expectOwnWrite wants what was acknowledged at offset by another replica to be in the views once Follow is back.
func (r *together) expectOwnWrite(t *testing.T, project, offset int64, want reading.Reading) {
	t.Helper()
	if err := r.follower.Follow(t.Context(), project); err != nil {
		t.Error(err)
		return
	}
	if applied, _ := r.follower.Applied(project); applied < offset || !slices.Contains(r.held(project, want.Series), want) {
		t.Errorf("%s has project %d up to %d, and not all of what was acknowledged before at %d", r.name, project, applied, offset)
	}
}

// Three replicas, writers on each, and one is killed: who is left sees every entry once and in order, without asking; and
// whoever asks any of them finds what any of them has acknowledged.
func TestReplicasSeeEveryEntryOnceAndEveryoneReadsWhatHeWrote(t *testing.T) {
	t.Parallel()
	const writers, appends = 3, 60
	server := testdb.URL(t)
	observer := testdb.Open(t, server)
	projects := []int64{newProject(t, observer), newProject(t, observer)}
	var replicas []*together
	for i := range 3 {
		r := join(t, server, fmt.Sprintf("replica-%d", i), journal.ReplicaConfig{Poll: 200 * time.Millisecond})
		r.follow(t, projects...)
		replicas = append(replicas, r)
	}
	survivors, victim := replicas[:2], replicas[2]

	var writing, dying sync.WaitGroup
	var killed atomic.Bool
	for i, r := range replicas {
		for w := range writers {
			writing.Go(func() {
				for n := range appends {
					project := projects[rand.IntN(len(projects))]
					sent := at(int64(1+i*writers+w), int64(n))
					ack, err := r.Append(t.Context(), project, []reading.Reading{sent})
					if err == nil {
						survivors[rand.IntN(2)].expectOwnWrite(t, project, ack.Offset, sent)
						continue
					}
					if r != victim || !killed.Load() {
						t.Errorf("%s: %v", r.name, err)
					}
					return
				}
			})
		}
	}
	eventually(t, "the victim has written", func() bool {
		return victim.metric(t, "readout_journal_entries_total") > writers*appends/4
	})
	killed.Store(true)
	dying.Go(victim.leave)
	terminate(t, observer, victim.name)
	dying.Wait()
	writing.Wait()

	for _, project := range projects {
		want := stored(t, observer, project)
		for _, r := range survivors {
			r.seen.waitFor(project, len(want))
			got := r.seen.of(project)
			if !slices.EqualFunc(got, want, func(e journal.Entry, rs []reading.Reading) bool { return slices.Equal(e.Readings, rs) }) {
				t.Errorf("%s, project %d: %d entries seen, %d stored", r.name, project, len(got), len(want))
			}
		}
	}
	eventually(t, "who is left knows that one is gone", func() bool {
		return survivors[0].metric(t, "readout_replicas_known") == 1
	})
}

func TestReplicaIsWokenByWhatAnotherWrites(t *testing.T) {
	t.Parallel()
	const rounds = 30
	server := testdb.URL(t)
	project := newProject(t, testdb.Open(t, server))
	a := join(t, server, "a", journal.ReplicaConfig{Poll: never})
	b := join(t, server, "b", journal.ReplicaConfig{Poll: never})
	b.follow(t, project)
	var delays []time.Duration
	for n := range rounds {
		a.mustAppend(t, project, at(1, int64(n)))
		began := time.Now()
		b.seen.waitFor(project, n+1)
		delays = append(delays, time.Since(began))
	}
	slices.Sort(delays)
	median := delays[rounds/2]
	t.Logf("woken after %v, at most %v", median, delays[rounds-1])
	if median > 500*time.Millisecond {
		t.Errorf("woken after %v, want some 50 ms", median)
	}
	if told := a.metric(t, "readout_replicas_notices_sent_total"); told > rounds+10 {
		t.Errorf("%v notices for %d entries", told, rounds)
	}
}

func TestReplicaTellsAtMostSoOften(t *testing.T) {
	t.Parallel()
	server := testdb.URL(t)
	project := newProject(t, testdb.Open(t, server))
	const pause = 50 * time.Millisecond
	began := time.Now()
	a := join(t, server, "a", journal.ReplicaConfig{Poll: never, Pause: pause})
	b := join(t, server, "b", journal.ReplicaConfig{Poll: never})
	b.follow(t, project)
	for n := range int64(200) {
		a.mustAppend(t, project, at(1, n))
	}
	b.seen.waitFor(project, 200)
	told, most := a.metric(t, "readout_replicas_notices_sent_total"), float64(time.Since(began)/pause)+2
	if told > most {
		t.Errorf("%v notices in a time for %v", told, most)
	}
}

// Alone a replica must cost nothing while nothing happens, and one statement for a commit. It must do what is needed as
// soon as another one comes, and be at rest again when that has ended.
func TestReplicaThatIsAloneRunsNoStatement(t *testing.T) {
	t.Parallel()
	server := testdb.URL(t)
	project := newProject(t, testdb.Open(t, server))
	a := join(t, server, "a", journal.ReplicaConfig{Poll: 10 * time.Millisecond})
	a.follow(t, project)
	quiet := func() bool {
		before := a.statements.Load()
		time.Sleep(100 * time.Millisecond) // ten polls
		return a.statements.Load() == before
	}
	eventually(t, "a replica that is alone is at rest", quiet)
	a.mustAppend(t, project, at(1, 1)) // makes the head of the journal
	before := a.statements.Load()
	a.mustAppend(t, project, at(1, 2))
	for range 100 {
		a.follow(t, project)
	}
	if n := a.statements.Load() - before; n != 1 {
		t.Errorf("%d statements for one commit", n)
	}
	if !quiet() {
		t.Error("a replica that is alone is not at rest after a commit")
	}

	b := join(t, server, "b", journal.ReplicaConfig{})
	elsewhere(t, a.pool, project, at(1, 3)) // of which nobody is told
	a.seen.waitFor(project, 3)
	ack := b.mustAppend(t, project, at(1, 4))
	a.expectOwnWrite(t, project, ack.Offset, at(1, 4))
	if quiet() {
		t.Error("a replica that is not alone does not look")
	}
	b.leave()
	eventually(t, "a replica that is alone again is at rest", quiet)
}

// The listening connections break, again and again: nothing is missed, without a poll.
func TestReplicaThatLostItsConnectionCatchesUp(t *testing.T) {
	t.Parallel()
	server := testdb.URL(t)
	observer := testdb.Open(t, server)
	project := newProject(t, observer)
	a := join(t, server, "a", journal.ReplicaConfig{Poll: never})
	b := join(t, server, "b", journal.ReplicaConfig{Poll: never})
	a.follow(t, project)
	b.follow(t, project)
	for n := range 20 {
		exec(t, observer, `select pg_terminate_backend(pid) from pg_stat_activity
			where datname = current_database() and application_name like 'readout replica%'`)
		r, other := a, b
		if n%2 == 0 {
			r, other = b, a
		}
		ack := r.mustAppend(t, project, at(1, int64(n)))
		other.expectOwnWrite(t, project, ack.Offset, at(1, int64(n)))
		a.seen.waitFor(project, n+1)
		b.seen.waitFor(project, n+1)
	}
	elsewhere(t, observer, project, at(1, 99))
	exec(t, observer, `select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and application_name like 'readout replica%'`)
	a.seen.waitFor(project, 21)
	b.seen.waitFor(project, 21)
}

func TestReplicasTellEachOtherWhatIsPacked(t *testing.T) {
	t.Parallel()
	server := testdb.URL(t)
	observer := testdb.Open(t, server)
	project := newProject(t, observer)
	a := join(t, server, "a", journal.ReplicaConfig{Poll: never})
	b := join(t, server, "b", journal.ReplicaConfig{Poll: never})
	b.follow(t, project)
	a.mustAppend(t, project, at(1, 1))
	exec(t, observer, `insert into packing (project_id, packed_to) values ($1, 1)`, project)
	a.follower.Packed(project, 1)
	for _, r := range []*together{a, b} {
		eventually(t, "the tail of "+r.name+" is trimmed", func() bool { return len(r.held(project, 1)) == 0 })
	}
}

// hears returns when the replica was told of c.
func (r *together) hears(t *testing.T, what string, c entity.Change) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case got := <-r.changed:
			if got.At = c.At; got == c {
				return
			}
		case <-deadline:
			t.Fatalf("%s was not told of %s", r.name, what)
		}
	}
}

func TestReplicasTellEachOtherOfChangesOfEntities(t *testing.T) {
	t.Parallel()
	server := testdb.URL(t)
	observer := testdb.Open(t, server)
	a := join(t, server, "a", journal.ReplicaConfig{Poll: never, Wait: never})
	b := join(t, server, "b", journal.ReplicaConfig{Poll: never, Wait: never})
	revoked := func(id int64) entity.Change {
		return entity.Change{Kind: entity.Deleted, Type: entity.Key, ID: id, Project: 2, At: 3}
	}
	a.TellChanged(revoked(1))
	b.hears(t, "a change by a", revoked(1))
	b.TellChanged(revoked(2))
	a.hears(t, "a change by b", revoked(2))
	if err := journal.Announce(t.Context(), observer, revoked(3), revoked(4)); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*together{a, b} {
		r.hears(t, "a change by a command", revoked(3))
		r.hears(t, "another change by a command", revoked(4))
	}
	if n := a.metric(t, "readout_replicas_known"); n != 1 {
		t.Errorf("%v others are known: a command is none", n)
	}
	forget := func() {
		for len(a.changed) > 0 {
			<-a.changed
		}
	}
	forget()
	exec(t, observer, `select pg_notify('readout', 'sung x y z')`)
	a.hears(t, "something in the words of a later version", entity.MissedAll())
	forget()
	exec(t, observer, `select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and application_name like 'readout replica%'`)
	a.hears(t, "what it may have missed while it did not listen", entity.MissedAll())
}
