package job_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/job"
)

func TestQueueDoesAJobOnceItsTransactionHasCommitted(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	q := s.queue(t, job.Config{}, nil)
	run(t, q)
	s.add(t, q, (*db.Tx).Rollback, 1)
	s.add(t, q, (*db.Tx).Commit, 2)
	if got := s.next(t); got != 2 {
		t.Errorf("account %d is greeted, want 2: 1 was rolled back", got)
	}
}

func TestJobIsCommittedAndRolledBackWithTheEntities(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	q := s.queue(t, job.Config{}, nil)
	for _, end := range []func(*db.Tx) error{(*db.Tx).Rollback, (*db.Tx).Commit} {
		s.add(t, q, func(tx *db.Tx) error {
			if _, err := tx.ExecContext(t.Context(), `create table beside (id int)`); err != nil {
				t.Fatal(err)
			}
			return end(tx)
		}, 1)
		var jobs int
		var beside bool
		err := s.pool.QueryRow(t.Context(), `select (select count(*) from river_job), to_regclass('beside') is not null`).Scan(&jobs, &beside)
		if err != nil || (jobs == 1) != beside {
			t.Errorf("%d jobs are stored, and the table beside them: %t (%v)", jobs, beside, err)
		}
	}
}

func TestAddRefusesArgumentsThatAreNotJustIds(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	q := s.queue(t, job.Config{}, nil)
	s.add(t, q, func(tx *db.Tx) error {
		if err := q.Add(t.Context(), tx, bulky{strings.Repeat("x", job.MaxArgs)}); !fault.Is(err, fault.TooLarge) {
			t.Errorf("large arguments: %v, want too_large", err)
		}
		if err := q.Add(t.Context(), tx, bulky{strings.Repeat("x", job.MaxArgs-20)}); err != nil {
			t.Errorf("smaller ones: %v", err)
		}
		return tx.Commit()
	})
}

func TestAddTellsThatTheTransactionIsOver(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	q := s.queue(t, job.Config{}, nil)
	s.add(t, q, func(tx *db.Tx) error {
		if err := tx.Commit(); err != nil {
			return err
		}
		if err := q.Add(t.Context(), tx, greet{1}); err == nil {
			t.Error("a job is added to a transaction that is over")
		}
		return nil
	})
}

func TestQueueTriesAgainWhatFailsOrPanics(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	q := s.queue(t, job.Config{}, func(_ context.Context, j *river.Job[greet]) error {
		switch {
		case j.Attempt > 1:
			s.done <- j.Args.Account
			return nil
		case j.Args.Account == 1:
			panic("a mistake")
		}
		return errors.New("the server is away")
	})
	run(t, q)
	s.add(t, q, (*db.Tx).Commit, 1, 2)
	if a, b := s.next(t), s.next(t); a+b != 3 {
		t.Errorf("accounts %d and %d are greeted, want 1 and 2", a, b)
	}
}

func TestQueueComesBackToWhatHasFailedOften(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	q := s.queue(t, job.Config{Poll: time.Hour}, nil)
	s.add(t, q, (*db.Tx).Commit, 6)
	// As it is after tries that were minutes apart: only the leader makes it available.
	if _, err := s.pool.Exec(t.Context(), `update river_job set state = 'retryable', attempt = 5, scheduled_at = now()`); err != nil {
		t.Fatal(err)
	}
	run(t, q)
	if got := s.next(t); got != 6 {
		t.Errorf("account %d is greeted, want 6", got)
	}
}

func TestEveryCommittedJobIsHeardOf(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	q := s.queue(t, job.Config{Poll: time.Hour}, nil)
	run(t, q)
	s.listening(t)
	for a := range int64(20) {
		s.add(t, q, (*db.Tx).Rollback, -1) // its notice is lost with it
		s.add(t, q, (*db.Tx).Commit, a)
		if got := s.next(t); got != a {
			t.Errorf("account %d is greeted, want %d", got, a)
		}
	}
}

func TestQueuesShareTheWorkAndDoEachJobOnce(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	release := make(chan struct{})
	begun := make(chan int, 100)
	worker := func(id int) func(context.Context, *river.Job[greet]) error {
		return func(_ context.Context, j *river.Job[greet]) error {
			begun <- id
			<-release
			s.done <- j.Args.Account
			return nil
		}
	}
	q := s.queue(t, job.Config{Workers: 1}, worker(0))
	run(t, q)
	run(t, s.queue(t, job.Config{Workers: 1}, worker(1)))
	var all []int64
	for a := range int64(20) {
		all = append(all, a)
	}
	s.add(t, q, (*db.Tx).Commit, all...)
	if a, b := <-begun, <-begun; a == b {
		t.Errorf("queue %d has taken both of the first jobs, though it does one at a time", a)
	}
	close(release)
	seen := map[int64]int{}
	for range all {
		seen[s.next(t)]++
	}
	if len(seen) != len(all) || len(s.done) > 0 {
		t.Errorf("done: %v and %d more, want each of 20 once", seen, len(s.done))
	}
}

func TestJobOfAKilledProcessIsDoneByAnother(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	q := s.queue(t, job.Config{Timeout: time.Second}, nil)
	s.add(t, q, (*db.Tx).Commit, 5)
	// As a process leaves it that took the job and was killed.
	_, err := s.pool.Exec(t.Context(), `update river_job set state = 'running', attempt = 1,
		attempted_at = now() - interval '3 minutes', attempted_by = '{somebody who is dead}'`)
	if err != nil {
		t.Fatal(err)
	}
	run(t, q)
	if got := s.next(t); got != 5 {
		t.Errorf("account %d is greeted, want 5", got)
	}
}

func TestPeriodicJobComesByItselfInOneOfTheReplicas(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	every := []job.Periodic{{Every: time.Hour, Args: greet{9}}}
	run(t, s.queue(t, job.Config{Every: every}, nil))
	run(t, s.queue(t, job.Config{Every: every}, nil))
	if got := s.next(t); got != 9 {
		t.Errorf("account %d is greeted, want 9", got)
	}
	var jobs int
	if err := s.pool.QueryRow(t.Context(), `select count(*) from river_job`).Scan(&jobs); err != nil || jobs != 1 {
		t.Errorf("%d jobs have come (%v), want 1", jobs, err)
	}
}

func TestRunLetsAJobEndBeforeItReturns(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	begun, release := make(chan struct{}), make(chan struct{})
	q := s.queue(t, job.Config{}, func(ctx context.Context, j *river.Job[greet]) error {
		close(begun)
		<-release
		s.done <- j.Args.Account
		return ctx.Err()
	})
	end := run(t, q)
	s.add(t, q, (*db.Tx).Commit, 3)
	<-begun
	time.AfterFunc(100*time.Millisecond, func() { close(release) })
	if err := end(); err != nil || len(s.done) != 1 {
		t.Errorf("run has ended with %d of 1 jobs done: %v", len(s.done), err)
	}
	var state string
	if err := s.pool.QueryRow(t.Context(), `select state from river_job`).Scan(&state); err != nil || state != "completed" {
		t.Errorf("the job is %s (%v), want completed", state, err)
	}
}

func TestRunCancelsAJobThatGoesOnTooLongAndLeavesItToTheNext(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	begun := make(chan struct{})
	q := s.queue(t, job.Config{Drain: 50 * time.Millisecond}, func(ctx context.Context, _ *river.Job[greet]) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})
	end := run(t, q)
	s.add(t, q, (*db.Tx).Commit, 4)
	<-begun
	if err := end(); err != nil {
		t.Errorf("run has ended with %v", err)
	}
	run(t, s.queue(t, job.Config{}, nil))
	if got := s.next(t); got != 4 {
		t.Errorf("account %d is greeted, want 4", got)
	}
}

func TestRunTellsThatTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	s := prepare(t)
	s.pool = testdb.Open(t, testdb.URL(t))
	q := s.queue(t, job.Config{}, nil)
	s.pool.Close()
	if err := q.Run(t.Context()); err == nil {
		t.Error("run has started on a closed pool")
	}
}
