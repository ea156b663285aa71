package transport

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/live"
)

// pulling is one operation on a pipe. A goroutine of its own runs it, but not while it only listens to what it shares with others:
// then the pipe's handler takes what is published.
type pulling struct {
	pipe    *pipe
	id      string // the client's
	name    string // the same as JSON; empty where there are no others
	exec    graphql.GraphExecutor
	params  *graphql.RawParams
	op      *graphql.OperationContext
	invalid gqlerror.List // why it cannot be executed
	after   string        // a cursor to go on after
	weight  int64

	ctx context.Context
	end context.CancelCauseFunc

	subscriber atomic.Pointer[subscriber] // of a subscription
	alone      atomic.Bool                // a goroutine runs, and nobody else is to take
}

// run executes op, of a subscription what comes before it only listens.
func (op *pulling) run() {
	defer op.recovered()
	switch kindOf(op.op, op.invalid) {
	case "":
		op.fail(failure(op.exec.DispatchError(graphql.WithOperationContext(op.ctx, op.op), op.invalid).Errors), false)
	case ast.Subscription:
		op.follow()
	default:
		op.once()
	}
}

// once answers a query or a mutation.
func (op *pulling) once() {
	responses, ctx := op.exec.DispatchOperation(graphql.StartOperationTrace(op.ctx), op.op)
	resp := responses(ctx)
	switch {
	case resp == nil:
		op.fail(failure(op.late(ctx)), true)
	case neverBegan(resp):
		op.fail(failure(resp.Errors), false)
	default:
		b := op.pipe.form.next(nil, op.name, encoded(resp, Mark{}, nil, time.Now()))
		op.last(op.pipe.form.complete(b, op.name))
	}
}

// late returns the errors of an operation that gave no result.
func (op *pulling) late(ctx context.Context) gqlerror.List {
	err := fault.New(fault.Internal, "the operation gave no answer")
	if ctx.Err() != nil {
		err = fault.Wrap(ctx.Err(), fault.Unavailable, "the time for this operation is over")
	}
	return op.exec.DispatchError(graphql.WithOperationContext(ctx, op.op), gqlerror.List{asGraphQL(err)}).Errors
}

// follow begins a subscription.
func (op *pulling) follow() {
	p := op.pipe
	sub, err := p.home.subscribe(op.ctx, op.exec, op.op, op.params, p.form.kind, op.kicked)
	if err != nil {
		op.ended(err)
		return
	}
	sub.after = op.after
	op.subscriber.Store(sub)
	if op.ctx.Err() != nil { // whoever ended it may have missed the subscriber
		sub.leave()
	}
	op.goOn(sub.begin(op.send, p.wake))
}

// goOn has the handler take from now on, unless op is over by err.
func (op *pulling) goOn(err error) {
	if err != nil {
		op.ended(err)
		return
	}
	op.alone.Store(false)
	op.pipe.wake()
}

// next takes the next answer that is published and writes it. It reports whether there may be more.
func (op *pulling) next() bool {
	if op.alone.Load() {
		return false
	}
	sub := op.subscriber.Load()
	l := sub.listener.Load()
	if op.ctx.Err() != nil || l == nil {
		op.ended(errGone)
		return false
	}
	a, state := l.Take()
	switch state {
	case live.Behind:
		op.alone.Store(true)
		op.pipe.running.Go(func() {
			defer op.recovered()
			op.goOn(sub.resume(op.send, op.pipe.wake))
		})
	case live.Over:
		op.ended(l.Err())
	case live.Taken:
		return op.send(a)
	}
	return false
}

// send writes an answer. It reports whether there can be further ones.
func (op *pulling) send(a *Answer) bool {
	sub := op.subscriber.Load()
	if err := sub.allowed(); err != nil {
		op.ended(err)
		return false
	}
	if a.Failed {
		op.fail(a, true)
		return false
	}
	frame := frames.Get().(*[]byte)
	b := op.pipe.form.next((*frame)[:0], op.name, a)
	sent := op.pipe.write(op.ctx, b)
	keepFrame(frame, b)
	if sent {
		sub.wrote()
	}
	return sent
}

// kicked ends op from outside. It does not wait.
func (op *pulling) kicked(err error) {
	op.end(err)
	op.pipe.wake()
}

// ended ends op because of err, or of what its context ended by: complete at the end of what there is, nothing when nobody wants
// to know, else a failure.
func (op *pulling) ended(err error) {
	if op.ctx.Err() != nil {
		err = context.Cause(op.ctx)
		if errors.Is(err, context.Canceled) {
			err = errGone
		}
	}
	var r *refused
	switch {
	case op.pipe.ctx.Err() != nil: // which says why
	case errors.Is(err, errGone):
		op.finish()
	case errors.Is(err, io.EOF):
		op.last(op.pipe.form.complete(nil, op.name))
	case errors.As(err, &r):
		op.fail(r.answer, false)
	default:
		op.fail(op.failureOf(err), true)
	}
}

func (op *pulling) failureOf(err error) *Answer {
	return op.pipe.home.failure(op.pipe.ctx, op.exec, err)
}

// fail ends op with a failure. One of rights, of a database that is away and of a client that lags ends all of the stream: a
// client that may comes again, and goes on after its cursor.
func (op *pulling) fail(a *Answer, begun bool) {
	if f := a.Fault; f != nil && (f.Code == fault.Unauthenticated || f.Code == fault.Unavailable || f.Code == fault.Lagging) {
		op.pipe.end(f)
		return
	}
	b := op.pipe.form.failure(nil, op.name, a.Body, begun)
	op.last(op.pipe.form.complete(b, op.name))
}

// last writes the last of op.
func (op *pulling) last(b []byte) {
	op.pipe.write(op.pipe.ctx, b)
	op.finish()
}

// finish lets go of what op holds. It may be called twice, and beside anything else.
func (op *pulling) finish() {
	if !op.pipe.remove(op) {
		return
	}
	if op.end != nil {
		op.end(nil)
	}
	if sub := op.subscriber.Load(); sub != nil {
		sub.leave()
	}
	if op.pipe.token == "" {
		op.pipe.end(io.EOF)
	}
}

// recovered turns a panic into a failure: what the executor's RecoverFunc makes of it, once there is one.
func (op *pulling) recovered() {
	p := recover()
	switch {
	case p == nil:
		return
	case op.op != nil && op.op.RecoverFunc != nil:
		op.fail(failure(gqlerror.List{asGraphQL(op.op.RecoverFunc(op.ctx, p))}), true)
	default:
		op.pipe.transport.log().ErrorContext(op.ctx, "panic in an operation", "panic", p, "stack", string(debug.Stack()))
		op.fail(failure(gqlerror.List{asGraphQL(errors.New("panic"))}), true)
	}
}
