package graph

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// crowd runs operations of given costs against one budget.
type crowd struct {
	operations
	ctx context.Context
}

// run starts a query and returns its answer, which ends it.
func (c crowd) run(cost int) func() *graphql.Response {
	current := &graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: ast.Query}}
	current.Stats.SetExtension(costExtension, cost)
	ctx := graphql.WithOperationContext(c.ctx, current)
	respond := c.operations.run(ctx, func(context.Context) graphql.ResponseHandler {
		return graphql.OneShot(&graphql.Response{Data: []byte("{}")})
	})
	return func() *graphql.Response { return respond(ctx) }
}

func TestLargeOperationsTakeTurnsAndSmallOnesPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := crowd{operations{&Resolver{}, newBudget()}, ctx}
		first, second := c.run(maxCost), c.run(maxCost) // all of the budget
		var third func() *graphql.Response
		go func() { third = c.run(small + 1) }()
		synctest.Wait()
		if third != nil {
			t.Error("a third large operation does not wait")
		}
		if r := c.run(small)(); len(r.Errors) > 0 {
			t.Errorf("a small operation behind it: %v", r.Errors)
		}
		if r := first(); len(r.Errors) > 0 || first() != nil {
			t.Errorf("the first: %v, want one answer", r.Errors)
		}
		synctest.Wait()
		if third == nil {
			t.Fatal("the third waits when there is room")
		}
		second()
		third()
		if !c.budget.TryAcquire(budget) {
			t.Error("what has ended still counts")
		}
	})
}

func TestLargeOperationDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := crowd{operations{&Resolver{}, newBudget()}, ctx}
		c.run(maxCost)
		c.run(maxCost)
		r := c.run(maxCost)() // the clock of the test goes on when all wait
		if len(r.Errors) != 1 || r.Errors[0].Extensions["code"] != "TOO_MANY_REQUESTS" {
			t.Errorf("got %v, want TOO_MANY_REQUESTS", r.Errors)
		} else if r.Errors[0].Extensions["retryAfter"] != 1 {
			t.Errorf("got %v, want to be told when to come again", r.Errors[0].Extensions)
		}
	})
}
