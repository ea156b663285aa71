package graph

import (
	"cmp"
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/sync/semaphore"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

// How long a query and a mutation may take: less than the server gives an answer to be written.
const (
	queryTimeout    = 10 * time.Second
	mutationTimeout = 45 * time.Second
)

// budget is what all large queries, mutations and events under way may cost together (see limits), which bounds the memory of
// their answers. Others wait, but small ones do not: they would wait behind the large.
const (
	budget = 2 * maxCost
	small  = 5_000
	// smallEvent is what an event of a subscription may cost and not wait. It is counted with all that it may hold, and hardly ever
	// holds that: events of plain fields are not to come late because of large queries.
	smallEvent = 100_000
)

var errBudget = fault.New(fault.TooMany, "too much is being asked at once: wait, then try again").After(time.Second)

// operationCost is what every operation costs beside its fields.
const operationCost = 10

var errCosts = fault.New(fault.TooMany, "too much was asked in the last minute: wait, then try again")

// charge puts the cost of an operation down to the person, or the key's project, that asks; or it returns how long they must
// wait. What live queries cost later is free: it is bounded by executions, and ending them would only have them asked again.
func (r operations) charge(ctx context.Context, cost int) (wait time.Duration) {
	p := auth.FromContext(ctx)
	if _, live := ctx.Value(readsKey{}).(*reads); live || p == nil {
		return 0
	}
	return r.Costs.Take(cmp.Or(p.User, p.Project), cost+operationCost)
}

func newBudget() *semaphore.Weighted { return semaphore.NewWeighted(budget) }

// operations stands before each operation of a document.
type operations struct {
	*Resolver
	budget *semaphore.Weighted
}

// run checks once more that the credential still holds: a socket authenticates once, when it opens. What is no subscription waits
// for its share of the budget, and has a time limit.
func (r operations) run(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if !transport.PartOf(ctx).Shared { // else the rights of each subscriber are asked for
		if err := sessionOf(ctx).check(); err != nil {
			sessionOf(ctx).end(err)
			return refused(ctx, toFault(err))
		}
	}
	current := graphql.GetOperationContext(ctx)
	if current.Operation == nil || current.Operation.Operation == ast.Subscription { // nil: refused, which is to be answered
		return next(ctx)
	}
	limit := queryTimeout
	if current.Operation.Operation == ast.Mutation {
		limit = mutationTimeout
	}
	// The transport writes the answer under this context: it ends with the operation's own, not with the response.
	limited, cancel := context.WithTimeout(ctx, limit)
	context.AfterFunc(ctx, cancel)
	cost, _ := current.Stats.GetExtension(costExtension).(int)
	if wait := r.charge(ctx, cost); wait > 0 {
		return refused(ctx, errCosts.After(wait))
	}
	large := cost > small // a small one would wait in the line even for nothing
	if large && r.budget.Acquire(limited, int64(cost)) != nil {
		return refused(ctx, errBudget)
	}
	respond, done := next(limited), false
	return func(ctx context.Context) *graphql.Response {
		if done {
			return nil // there was one response, and it was whole
		}
		done = true
		if large {
			defer r.budget.Release(int64(cost))
		}
		return respond(ctx)
	}
}

// refused answers an operation that is not run.
func refused(ctx context.Context, f *fault.Error) graphql.ResponseHandler {
	return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{{Err: f, Message: f.Message, Extensions: extensions(ctx, f)}}})
}
