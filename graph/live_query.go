package graph

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

// A live query never comes to gqlgen's executor as the subscription that it is written as: what it selects is executed as
// the query that it is, with all that stands around queries, again and again.

// liveField returns the field of an operation that subscribes to a query, or nil.
func liveField(o *ast.OperationDefinition) *ast.Field {
	if o.Operation != ast.Subscription {
		return nil
	}
	if f := onlyField(o.SelectionSet); f != nil && f.Name == "live" {
		return f
	}
	return nil
}

// planLive plans a subscription to a query; ok is false for any other operation. Those share it who are the same person, or
// come with the same key: what others see is another answer. A fault Invalid where it asks for what there is not.
func (r *Resolver) planLive(ctx context.Context, op *graphql.OperationContext) (plan transport.Plan, ok bool, err error) {
	field := liveField(op.Operation)
	if field == nil {
		return plan, false, nil
	}
	if _, err = paceOf(field, op.Variables); err != nil {
		return plan, true, err
	}
	p := auth.FromContext(ctx)
	plan = transport.Plan{Share: nameOf(p), Answers: r.liveAnswers, Project: p.Project, Field: field.Name}
	plan.Rights = func(ctx context.Context) context.Context { return auth.NewContext(ctx, endless(p)) }
	plan.Check, plan.Close = r.watchRights(ctx, p.Project) // of a person: that there is an account; without a project it sees none
	return plan, true, nil
}

// asQuery returns the query that is live.
func asQuery(o *ast.OperationDefinition, live *ast.Field) *ast.OperationDefinition {
	query := *o
	query.Operation, query.SelectionSet = ast.Query, live.SelectionSet
	return &query
}

// paceOf returns how long it takes, at least, from one answer to the next; a fault Invalid for a rate that there is not.
func paceOf(live *ast.Field, variables map[string]any) (time.Duration, error) {
	rate := 1.0
	if argument := live.Arguments.ForName("maxRate"); argument != nil {
		given, err := argument.Value.Value(variables)
		if err == nil && given != nil {
			rate, err = graphql.UnmarshalFloat(given)
		}
		if err != nil {
			return 0, fault.Wrap(err, fault.Invalid, "maxRate is a number")
		}
	}
	if rate < 0.01 || rate > 10 {
		return 0, fault.New(fault.Invalid, "maxRate is from 0.01 to 10")
	}
	return time.Duration(float64(time.Second) / rate), nil
}

// executions bounds how many live queries are executed at once: one large one (see small) and one other, so that a change
// that many of them have to do with leaves room for those who wait for an answer. Its zero value is ready.
type executions struct{ large, others sync.Mutex }

// of returns what is held while a query is executed.
func (e *executions) of(query *graphql.OperationContext) *sync.Mutex {
	if cost, _ := query.Stats.GetExtension(costExtension).(int); cost > small {
		return &e.large
	}
	return &e.others
}

// liveQuery is one query that is live, for all who share it: it is executed when the first of them comes, and again when
// something that it read was changed. While nothing is, it does nothing. One goroutine has it.
type liveQuery struct {
	*Resolver
	ctx   context.Context // of the executions, with whose rights they are
	exec  graphql.GraphExecutor
	query *graphql.OperationContext
	name  ast.PathName // of the field in the answer
	pace  time.Duration
	watch watch

	sent      *liveAnswer       // the answer that was sent last; nil: none was
	payload   *transport.Answer // by which it was sent
	revisions *revisions        // nil: answers are not sent as patches
	due       time.Time         // not before this there is another execution
	failures  int               // executions that have failed one after the other, for reasons that pass
	over      bool
}

var _ transport.Answers = (*liveQuery)(nil)

// liveAnswers makes the execution of a subscription to a query, as transport.Plan asks for it: under ctx, with the rights of
// its principal. What can be wrong with params has been found by who planned it.
func (r *Resolver) liveAnswers(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams) (transport.Answers, error) {
	ctx = graphql.StartOperationTrace(ctx)
	op, invalid := exec.CreateOperationContext(ctx, params)
	if len(invalid) > 0 {
		return nil, invalid
	}
	field := liveField(op.Operation)
	if field == nil {
		return nil, fault.New(fault.Internal, "not a subscription to a query")
	}
	pace, err := paceOf(field, op.Variables)
	if err != nil {
		return nil, err
	}
	op.Operation = asQuery(op.Operation, field)
	l := &liveQuery{
		Resolver: r, ctx: ctx, exec: exec, query: op, name: ast.PathName(field.Alias), pace: pace,
		watch: watch{Resolver: r, types: entitiesIn(field.SelectionSet)},
	}
	if op.Extensions["patch"] == true {
		l.revisions = &revisions{}
	}
	return l, nil
}

// First implements transport.Answers: the answer as it was sent last.
func (l *liveQuery) First(ctx context.Context, _ bool) (*transport.Answer, error) {
	switch {
	case l.over:
		return nil, io.EOF
	case l.sent == nil:
		return l.answer(ctx)
	case l.revisions != nil:
		return l.revisions.again(l.sent), nil
	}
	return l.payload, nil
}

// Next implements transport.Answers. It does not end with ctx while the query is being executed: whoever comes would have to
// wait for the next execution.
func (l *liveQuery) Next(ctx context.Context) (*transport.Answer, error) {
	for {
		if l.over {
			return nil, io.EOF
		}
		if l.sent != nil {
			if err := l.watch.wait(ctx); err != nil {
				return nil, err
			}
			if err := sleep(ctx, time.Until(l.due)); err != nil {
				return nil, err
			}
		}
		if a, err := l.answer(ctx); a != nil || err != nil {
			return a, err
		}
	}
}

// Place implements transport.Answers: answers have none.
func (l *liveQuery) Place() int64 { return 0 }

// Until implements transport.Answers.
func (l *liveQuery) Until(int64) {}

// Close implements transport.Answers.
func (l *liveQuery) Close() { l.watch.close() }

// answer executes the query; nil where there is nothing to send: the answer is what it was, or is to be asked for again.
func (l *liveQuery) answer(ctx context.Context) (*transport.Answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	began := time.Now()
	response, took := l.execute()
	if err := l.ctx.Err(); err != nil {
		return nil, err
	}
	ended := time.Now()
	l.due = later(began.Add(l.pace), ended.Add(liveRest*took))
	a := newLiveAnswer(response, l.name)
	switch {
	case a.has(fault.Unauthenticated), len(response.Data) == 0 && (l.sent == nil || !a.passes()):
		return l.fail(a), nil
	case l.again(a, ended):
		return nil, nil
	}
	committed := l.watch.takeCommitted()
	if l.sent != nil && l.sent.equal(a) {
		return nil, nil
	}
	l.sent = a
	a.timed(l.query, committed, began)
	if l.revisions != nil {
		l.payload = l.revisions.next(a)
	} else {
		l.payload = a.payload(a.whole(0))
	}
	l.payload.Committed = committed
	return l.payload, nil
}

// Failures that pass are no answer: the one before is a better one, until they have lasted for about half a minute.
const (
	maxFailures = 5
	longestRest = time.Minute
)

// again reports whether the query is to be executed again in place of an answer, because of a failure that passes. It sees
// to it that there is another execution even where the failure is the answer.
func (l *liveQuery) again(a *liveAnswer, now time.Time) bool {
	if !a.passes() && !l.watch.lost {
		l.failures = 0
		return false
	}
	l.due = later(l.due, now.Add(min(time.Second<<l.failures, longestRest)))
	l.watch.changed = true
	l.failures = min(l.failures+1, maxFailures+1)
	return l.sent != nil && l.failures <= maxFailures
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// fail is the last answer: that there is none any more, or never was one.
func (l *liveQuery) fail(a *liveAnswer) *transport.Answer {
	l.over = true
	failure := &transport.Answer{Body: a.encoded, Published: time.Now(), Failed: true}
	if a.has(fault.Unauthenticated) {
		failure.Fault = fault.New(fault.Unauthenticated, "the rights of this connection have ended")
	}
	return failure
}

// execute executes the query once, and has the watch begin where it began to read. The response is never nil.
func (l *liveQuery) execute() (response *graphql.Response, took time.Duration) {
	turn := l.executions.of(l.query)
	turn.Lock()
	defer turn.Unlock()
	began := time.Now()
	defer func() {
		if p := recover(); p != nil {
			response = l.failure(l.query.RecoverFunc(l.ctx, p))
		}
		took = time.Since(began)
	}()
	ctx, cancel := context.WithCancel(l.ctx) // else what hangs on it would pile up
	defer cancel()
	if err := l.watch.before(ctx); err != nil {
		return l.failure(err), 0
	}
	read := &reads{journal: l.Journal}
	responses, ctx := l.exec.DispatchOperation(read.within(ctx), l.query)
	if response = responses(ctx); response == nil {
		response = l.failure(fault.New(fault.Unavailable, "the time for this query is over"))
	}
	l.watch.after(read)
	return response, 0
}

// failure is the response of a query that was not executed.
func (l *liveQuery) failure(err error) *graphql.Response {
	return l.exec.DispatchError(graphql.WithOperationContext(l.ctx, l.query), gqlerror.List{gqlerror.Wrap(err)})
}
