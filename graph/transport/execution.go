package transport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/internal/fault"
)

// execution is a subscription as gqlgen executes it, pulled through the stream that its resolver has left: Answers by one
// goroutine.
type execution struct {
	exec      graphql.GraphExecutor
	op        *graphql.OperationContext
	ctx       context.Context // of the responses
	responses graphql.ResponseHandler
	stream    slot
	faultOf   func(context.Context, error) *fault.Error
	log       *slog.Logger
	over      bool
}

// refused is the error of an operation whose execution never began.
type refused struct{ answer *Answer }

func (r *refused) Error() string { return "the operation is refused: " + string(r.answer.Body) }

// execute begins the execution of a part of a subscription under ctx, which is to end after it. The error is *refused where
// there is an answer for the client.
func (s *Subscriptions) execute(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams, part Part) (_ *execution, err error) {
	e := &execution{exec: exec, faultOf: s.faultOf, log: s.log()}
	ctx = graphql.StartOperationTrace(ctx)
	defer func() {
		if p := recover(); p != nil {
			err = &refused{e.failed(ctx, e.panicked(ctx, p))}
		}
	}()
	op, invalid := exec.CreateOperationContext(ctx, params)
	if len(invalid) > 0 {
		return nil, &refused{failure(exec.DispatchError(graphql.WithOperationContext(ctx, op), invalid).Errors)}
	}
	e.op = op
	left := &desk{}
	e.responses, e.ctx = exec.DispatchOperation(context.WithValue(withPart(ctx, part), deskKey{}, left), op)
	if e.stream = left.stream; e.stream == nil {
		return nil, e.refusal()
	}
	return e, nil
}

// refusal is the error of an execution without a stream.
func (e *execution) refusal() error {
	resp := e.responses(e.ctx)
	if resp == nil {
		return &refused{e.failed(e.ctx, fault.New(fault.Internal, "the subscription gave no answer"))}
	}
	return &refused{refusalOf(resp.Errors)}
}

// First implements Answers.
func (e *execution) First(ctx context.Context, again bool) (*Answer, error) {
	a, err := e.answer(ctx, func() (Mark, error) { return e.stream.first(ctx, again) })
	if err == nil && a.Failed && a.Fault != nil && !concernsAll(a.Fault.Code) {
		e.over = false
	}
	return a, err
}

// concernsAll reports whether a failure that newcomers met is the execution's end, and not about their time alone.
func concernsAll(code fault.Code) bool {
	return code == fault.Unauthenticated || code == fault.NotFound || code == fault.Internal
}

// Next implements Answers.
func (e *execution) Next(ctx context.Context) (*Answer, error) {
	return e.answer(ctx, func() (Mark, error) { return e.stream.next(ctx) })
}

// Place implements Answers.
func (e *execution) Place() int64 { return e.stream.place() }

// Until implements Answers.
func (e *execution) Until(offset int64) { e.stream.until(offset) }

// Close implements Answers.
func (e *execution) Close() { e.stream.close() }

// answer has the stream put an event into its channel and encodes it. A failure is an answer too, and the last one.
func (e *execution) answer(ctx context.Context, pull func() (Mark, error)) (a *Answer, err error) {
	if e.over {
		return nil, io.EOF
	}
	defer func() {
		if p := recover(); p != nil {
			a, err = e.failed(e.ctx, e.panicked(e.ctx, p)), nil
		}
	}()
	mark, err := pull()
	switch {
	case err == nil:
	case ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, ErrNothing):
		return nil, err
	default:
		return e.failed(e.ctx, err), nil
	}
	began := time.Now()
	resp := e.responses(e.ctx)
	switch {
	case resp == nil && e.ctx.Err() != nil:
		return nil, e.ctx.Err()
	case resp == nil:
		return e.failed(e.ctx, fault.New(fault.Internal, "the subscription gave no answer")), nil
	case neverBegan(resp):
		e.over = true
		return failure(resp.Errors), nil
	}
	return encoded(resp, mark, e.op.Extensions, began), nil
}

// failed is the answer to an error that the execution cannot go on after.
func (e *execution) failed(ctx context.Context, err error) *Answer {
	e.over = true
	f := e.faultOf(ctx, err)
	list := gqlerror.List{asGraphQL(f)}
	if e.op != nil {
		list = e.exec.DispatchError(graphql.WithOperationContext(ctx, e.op), list).Errors
	}
	a := failure(list)
	a.Fault = f
	return a
}

// panicked returns what the client gets to know of a panic: what the executor's RecoverFunc makes of it, once there is one.
func (e *execution) panicked(ctx context.Context, p any) error {
	if e.op != nil && e.op.RecoverFunc != nil {
		return e.op.RecoverFunc(ctx, p)
	}
	e.log.ErrorContext(ctx, "panic in a subscription", "panic", p, "stack", string(debug.Stack()))
	return errors.New("panic")
}

// failure is the answer of an operation that is over, or never began.
func failure(errs gqlerror.List) *Answer {
	return &Answer{Body: []byte(encode(bounded(errs))), Published: time.Now(), Failed: true}
}

// refusalOf is the failure of a subscription whose resolver did not begin it. Its Fault is the first one among errs.
func refusalOf(errs gqlerror.List) *Answer {
	a := failure(errs)
	for _, err := range errs {
		if errors.As(err, &a.Fault) {
			break
		}
	}
	return a
}

// encoded returns resp as an answer; began is when the work on it did.
func encoded(resp *graphql.Response, mark Mark, asked map[string]any, began time.Time) *Answer {
	now := time.Now()
	if asked["timing"] == true {
		if resp.Extensions == nil {
			resp.Extensions = map[string]any{}
		}
		resp.Extensions["timing"] = timing{mark.Committed, began, now}
	}
	head, tail := envelope(resp)
	body := make([]byte, 0, len(head)+len(resp.Data)+len(tail))
	body = append(append(append(body, head...), resp.Data...), tail...)
	return &Answer{Mark: mark, Body: body, Published: now}
}

// timing is what extensions.timing says where a request asks for it by `extensions: {timing: true}`.
type timing struct {
	CommittedAt time.Time `json:"committedAt,omitzero"` // by the database's clock; not given with what nobody committed
	PublishedAt time.Time `json:"publishedAt"`          // when the server had it and began to make the payload
	SentAt      time.Time `json:"sentAt"`               // when it began to send it to all who share it
}
