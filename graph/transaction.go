package graph

import (
	"context"
	"log/slog"

	"entgo.io/contrib/entgql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/problem"
	"github.com/readout-dev/readout/store"
)

// transactions runs each mutation in one transaction: all of its fields, or none. It is entgql's Transactioner with
// errors of our own, and with a bound: a mutation holds a connection while its answer is resolved, which may take
// another, so that only some of the pool's may be held at once.
type transactions struct {
	entgql.Transactioner
	client *db.Client
	log    *slog.Logger
	places chan struct{} // one for each transaction that may run
}

func newTransactions(client *db.Client, log *slog.Logger, atOnce int) transactions {
	return transactions{
		Transactioner: entgql.Transactioner{TxOpener: client, SkipTxFunc: skipTransaction},
		client:        client, log: log, places: make(chan struct{}, max(atOnce, 1)),
	}
}

// skipTransaction leaves out what is no mutation, and what is no part of a transaction: it stands alone in its operation,
// limits see to that.
func skipTransaction(o *ast.OperationDefinition) bool {
	return o.Operation != ast.Mutation || isAlone(o.SelectionSet)
}

func isAlone(set ast.SelectionSet) bool {
	if len(set) != 1 {
		return false
	}
	switch selection := set[0].(type) {
	case *ast.Field:
		return standsAlone(selection)
	case *ast.FragmentSpread:
		return isAlone(selection.Definition.SelectionSet)
	case *ast.InlineFragment:
		return isAlone(selection.SelectionSet)
	}
	return false
}

// standsAlone reports whether a field of a mutation works outside transactions: the deletion of a project goes in pieces,
// since one statement could hold the journal for long; that of readings is an entry of the journal, which nothing takes
// back.
func standsAlone(f *ast.Field) bool { return f.Name == "deleteProject" || f.Name == "deleteReadings" }

// InterceptResponse implements graphql.ResponseInterceptor.
func (t transactions) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if o := graphql.GetOperationContext(ctx).Operation; o == nil || skipTransaction(o) {
		return next(ctx)
	}
	select {
	case t.places <- struct{}{}:
		defer func() { <-t.places }()
	case <-ctx.Done():
		return t.refuse(ctx, fault.Wrap(ctx.Err(), fault.Unavailable, "too many changes are under way: try again"))
	}
	inTx, tx, err := t.client.OpenTx(ctx)
	if err != nil {
		return t.refuse(ctx, err)
	}
	done := false
	defer func() {
		if !done { // errors, or a panic that is passed on
			_ = tx.Rollback()
		}
	}()
	resp := next(inTx)
	if resp == nil || len(resp.Errors) > 0 {
		return withoutData(resp)
	}
	done = true
	if err := tx.Commit(); err != nil {
		return t.refuse(ctx, err)
	}
	return resp
}

// withoutData is the answer to a mutation that changed nothing.
func withoutData(resp *graphql.Response) *graphql.Response {
	if resp != nil {
		resp.Data = []byte("null")
	}
	return resp
}

// refuse answers what the database did not take.
func (t transactions) refuse(ctx context.Context, err error) *graphql.Response {
	f := fault.Of(store.Fault(err))
	problem.Log(ctx, t.log, f)
	return &graphql.Response{Errors: gqlerror.List{{Message: f.Message, Extensions: extensions(ctx, f)}}}
}

// afterFailure leaves out the fields of a mutation that come after one that failed: its transaction is over.
func afterFailure(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation && len(graphql.GetErrors(ctx)) > 0 {
		return graphql.Null
	}
	return next(ctx)
}
