package graph

import (
	"context"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/sync/semaphore"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/graph/scalar"
	"github.com/readout-dev/readout/internal/fault"
)

// analysesAtOnce is how many answers of the engine one operation computes at once. Its fields are resolved all at the same
// time: without this a page of series, each with its statistics, would take all places where operations wait for the engine,
// and be refused by it.
const analysesAtOnce = 2

// share is what the fields of one response have together: turns at the engine, and what they may cost. Safe for concurrent use.
type share struct {
	turns  chan struct{}
	budget *semaphore.Weighted

	mu     sync.Mutex
	cost   int // as the document was counted, and what was added
	excess int // what was added, taken from the budget
}

type shareKey struct{}

// respond lets the fields of a response share what it has, and its moment: all their times are relative to the same now. An event
// of a subscription has a time limit as a query has, and a large one waits for its share of the budget.
func (r operations) respond(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	s := &share{turns: make(chan struct{}, analysesAtOnce), budget: r.budget}
	if graphql.HasOperationContext(ctx) {
		current := graphql.GetOperationContext(ctx)
		s.cost, _ = current.Stats.GetExtension(costExtension).(int)
		if o := current.Operation; o != nil && o.Operation == ast.Subscription {
			limited, cancel := context.WithTimeout(ctx, queryTimeout)
			defer cancel()
			if s.cost > smallEvent {
				if r.budget.Acquire(limited, int64(s.cost)) != nil {
					return refused(ctx, errBudget)(ctx)
				}
				defer r.budget.Release(int64(s.cost))
			}
			ctx = limited
		}
	}
	defer func() { r.budget.Release(int64(s.excess)) }()
	ctx, release := analysis.Hold(ctx) // what is computed is written, too, before the next is
	defer release()
	return next(context.WithValue(scalar.WithNow(ctx, time.Now()), shareKey{}, s))
}

// turn waits for the turn of a field; the caller calls done when it has its answer. Outside of a response nobody waits.
func turn(ctx context.Context) (done func(), err error) {
	s, ok := ctx.Value(shareKey{}).(*share)
	if !ok {
		return func() {}, nil
	}
	select {
	case s.turns <- struct{}{}:
		return func() { <-s.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// charge adds to the cost of an operation what could not be counted before. Faults: TooLarge when it is more than one may cost,
// TooMany when others take too much already. Outside of a response the first is all there is.
func charge(ctx context.Context, cost int) error {
	if cost <= 0 {
		return nil
	}
	s, ok := ctx.Value(shareKey{}).(*share)
	if !ok {
		s = &share{budget: newBudget()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cost+cost > maxCost:
		return fault.New(fault.TooLarge, "these statistics turn out to be too large: ask for fewer groups or wider buckets, "+
			"and for less of each; quantiles count for the values that they come from")
	case !s.budget.TryAcquire(int64(cost)):
		return errBudget
	}
	s.cost += cost
	s.excess += cost
	return nil
}
