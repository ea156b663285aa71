package analysis_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/fault"
)

// slow is a source that answers when it is told to.
type slow struct {
	analysis.Source
	asked, answer chan struct{}
}

func newSlow() *slow {
	return &slow{Source: newMemory(model{}, 1, 0), asked: make(chan struct{}), answer: make(chan struct{})}
}

func (s *slow) First(ctx context.Context, _ int64, _ []int64) (int64, bool, error) {
	s.asked <- struct{}{}
	select {
	case <-s.answer:
		return 0, false, nil
	case <-ctx.Done():
		return 0, false, ctx.Err()
	}
}

var anything = analysis.Request{Groups: [][]analysis.Member{{{Project: 1, Series: 1}}}}

func TestSomeComputeSomeWaitAndTheOthersAreSentAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSlow()
		e := analysis.New(source, analysis.Config{Parallel: 1, Waiting: 1})
		answered := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := e.Answer(t.Context(), anything)
				answered <- err
			}()
		}
		<-source.asked
		synctest.Wait() // one computes, one waits
		_, err := e.Answer(t.Context(), anything)
		if !fault.Is(err, fault.TooMany) || fault.Of(err).RetryAfter <= 0 {
			t.Errorf("the third got %v", err)
		}
		source.answer <- struct{}{}
		<-source.asked // it was the other's turn
		source.answer <- struct{}{}
		for range 2 {
			if err := <-answered; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestWhoeverWaitsTooLongIsSentAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSlow()
		e := analysis.New(source, analysis.Config{Parallel: 1, Waiting: 1})
		answered := make(chan error, 1)
		go func() {
			_, err := e.Answer(t.Context(), anything)
			answered <- err
		}()
		<-source.asked
		began := time.Now()
		_, err := e.Answer(t.Context(), anything)
		if waited := time.Since(began); !fault.Is(err, fault.TooMany) || waited != 2*time.Second {
			t.Errorf("after %v: %v", waited, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := e.Answer(ctx, anything); !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		source.answer <- struct{}{}
		if err := <-answered; err != nil {
			t.Error(err)
		}
		go func() { <-source.asked; source.answer <- struct{}{} }()
		if _, err := e.Answer(t.Context(), anything); err != nil {
			t.Errorf("those who were sent away still have a place: %v", err)
		}
	})
}

func TestAnswersUnderOneHoldTakeOnePlaceUntilItIsReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSlow()
		e := analysis.New(source, analysis.Config{Parallel: 1, Waiting: -1})
		ask := func(ctx context.Context) error {
			_, err := e.Answer(ctx, anything)
			return err
		}
		taken, release := analysis.Hold(t.Context())
		refused, releaseNothing := analysis.Hold(t.Context())
		answered := make(chan error, 2)
		for range 2 {
			go func() { answered <- ask(taken) }()
		}
		for range 2 { // both compute
			<-source.asked
		}
		for range 2 {
			source.answer <- struct{}{}
		}
		for range 2 {
			if err := <-answered; err != nil {
				t.Fatal(err)
			}
		}
		for _, ctx := range []context.Context{t.Context(), refused} {
			if err := ask(ctx); !fault.Is(err, fault.TooMany) {
				t.Errorf("while the place is held: %v", err)
			}
		}
		releaseNothing()
		release()
		release()
		go func() { <-source.asked; source.answer <- struct{}{} }()
		if err := ask(refused); err != nil {
			t.Errorf("when it is not: %v", err)
		}
	})
}

func TestAnEndedContextEndsAnAnswerInTheMiddle(t *testing.T) {
	t.Parallel()
	source := newSlow()
	e := analysis.New(source, analysis.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() {
		_, err := e.Answer(ctx, anything)
		answered <- err
	}()
	<-source.asked
	cancel()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// broken fails where it is told to.
type broken struct {
	*memory
	first, estimate, summaries, take bool
}

var errBroken = errors.New("broken")

func (s broken) First(ctx context.Context, project int64, series []int64) (int64, bool, error) {
	if s.first {
		return 0, false, errBroken
	}
	return s.memory.First(ctx, project, series)
}

func (s broken) Estimate(ctx context.Context, project int64, series []int64, from, to int64, most int) (int, bool, error) {
	if s.estimate {
		return 0, false, errBroken
	}
	return s.memory.Estimate(ctx, project, series, from, to, most)
}

func (s broken) Summaries(ctx context.Context, q history.SummaryQuery, take func(*history.Unit) error) ([]history.Part, error) {
	if s.summaries {
		return nil, errBroken
	}
	return s.memory.Summaries(ctx, q, func(u *history.Unit) error {
		if s.take {
			u.Sketch = []byte("no sketch")
		}
		return take(u)
	})
}
