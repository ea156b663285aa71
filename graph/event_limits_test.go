package graph

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// event answers one event of a subscription by what its fields do.
func (c crowd) event(cost int, fields func(context.Context)) *graphql.Response {
	current := &graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: ast.Subscription}}
	current.Stats.SetExtension(costExtension, cost)
	return c.respond(graphql.WithOperationContext(c.ctx, current), func(ctx context.Context) *graphql.Response {
		fields(ctx)
		return &graphql.Response{Data: []byte("{}")}
	})
}

func TestEventHasATimeLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := crowd{operations{&Resolver{}, newBudget()}, t.Context()}
		c.event(1, func(ctx context.Context) {
			<-ctx.Done()
			if took := time.Since(began); !errors.Is(ctx.Err(), context.DeadlineExceeded) || took != queryTimeout {
				t.Errorf("it ends after %v: %v", took, ctx.Err())
			}
		})
	})
}

func TestLargeEventsTakeTurnsAndSmallOnesPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := crowd{operations{&Resolver{}, newBudget()}, t.Context()}
		held, nothing := make(chan struct{}), func(context.Context) {}
		for range 2 {
			go c.event(maxCost, func(context.Context) { <-held })
		}
		synctest.Wait()
		began := time.Now()
		if r := c.event(smallEvent, nothing); len(r.Errors) > 0 || time.Since(began) > 0 {
			t.Errorf("a small event: %v after %v", r.Errors, time.Since(began))
		}
		if r := c.event(smallEvent+1, nothing); len(r.Errors) != 1 || r.Errors[0].Extensions["code"] != "TOO_MANY_REQUESTS" {
			t.Errorf("a third large event: %v, want TOO_MANY_REQUESTS", r.Errors)
		}
		close(held)
		synctest.Wait()
		if !c.budget.TryAcquire(budget) {
			t.Error("what has ended still counts")
		}
	})
}
