package transport

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/internal/fault"
)

// operation is one query, mutation or subscription on a socket, run by a goroutine of its own (its pump).
type operation struct {
	socket   *socket
	id       string
	quotedID string // as JSON
	cancel   context.CancelFunc

	mu      sync.Mutex
	failure error // set by Fail
}

type operationKey struct{}

// Fail ends the subscription that ctx belongs to with err once its channel is closed: the client gets an error message
// where it would get complete. Of several errors the first one counts. Outside an operation of a WebSocket it does
// nothing. Safe for concurrent use.
func Fail(ctx context.Context, err error) {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return
	}
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.failure == nil {
		op.failure = err
	}
}

func (op *operation) failed() error {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.failure
}

// subscribe starts the operation that m asks for.
func (s *socket) subscribe(m message) {
	if !s.acked {
		s.close(closeNoAck, "Unauthorized")
		return
	}
	params, err := requestOf(m.payload)
	if err != nil {
		s.close(closeBadMessage, "Invalid message: "+fault.Of(err).Message)
		return
	}
	now := graphql.Now()
	params.ReadTime = graphql.TraceTiming{Start: now, End: now}

	ctx, cancel := context.WithCancel(s.ctx)
	op := &operation{socket: s, id: m.id, quotedID: encode(m.id), cancel: cancel}
	switch s.begin(op) {
	case started:
		go op.run(context.WithValue(ctx, operationKey{}, op), params)
		return
	case duplicate:
		s.close(closeDuplicate, fmt.Sprintf("Subscriber for %s already exists", m.id))
	case tooMany:
		f := fault.New(fault.TooMany, "at most %d operations can run on one socket", s.transport.maxOperations())
		s.send(s.ctx, nil, op.errorMessage(gqlerror.List{asGraphQL(f)}))
	}
	cancel()
}

// What became of a subscribe message.
const (
	started = iota
	duplicate
	tooMany
	tooLate // the socket is closing
)

// begin enters op among the active operations, if it may run.
func (s *socket) begin(op *operation) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.code != 0:
		return tooLate
	case s.active[op.id] != nil:
		return duplicate
	case s.running >= s.transport.maxOperations():
		return tooMany
	}
	s.active[op.id] = op
	s.running++
	s.transport.running.Add(1) // the reader is counted, so this never races with the end of Wait
	call(s.transport.Hooks.OnSubscribe)
	return started
}

// complete stops the operation called id for the client, who may use the id again at once: with its context ended, no
// further message of the old operation is written. An unknown id is no fault: both sides may complete at the same time.
func (s *socket) complete(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if op := s.active[id]; op != nil {
		delete(s.active, id)
		op.cancel()
	}
}

// retire takes op from the active operations, before its last message is written: from then on the client may use the
// id again. It reports false if the client had completed op.
func (op *operation) retire() bool {
	s := op.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active[op.id] != op {
		return false
	}
	delete(s.active, op.id)
	return true
}

// run executes op and tells the client how it goes: next messages, then complete, or one error message.
func (op *operation) run(ctx context.Context, params *graphql.RawParams) {
	s := op.socket
	defer s.transport.running.Done()
	defer call(s.transport.Hooks.OnComplete)
	defer op.returned()

	errs := op.pump(ctx, params)
	if len(errs) > 0 {
		s.send(ctx, op.retire, op.errorMessage(errs))
		return
	}
	s.send(ctx, op.retire, appendBare(nil, typeComplete, op.quotedID))
}

func (op *operation) returned() {
	op.cancel()
	op.retire()
	op.socket.mu.Lock()
	op.socket.running--
	op.socket.mu.Unlock()
}

// pump sends the results of the operation until there is no further one or ctx ends. It returns the errors that the
// client gets in place of complete: because execution never began, or was given up.
func (op *operation) pump(ctx context.Context, params *graphql.RawParams) (errs gqlerror.List) {
	exec := op.socket.exec
	ctx = graphql.StartOperationTrace(ctx)
	var current *graphql.OperationContext
	defer func() {
		if p := recover(); p != nil {
			errs = op.panicked(ctx, current, p)
		}
	}()
	current, invalid := exec.CreateOperationContext(ctx, params)
	if len(invalid) > 0 {
		return exec.DispatchError(graphql.WithOperationContext(ctx, current), invalid).Errors
	}
	responses, ctx := exec.DispatchOperation(ctx, current)
	for {
		resp := responses(ctx)
		switch {
		case resp == nil:
			return op.presentFailure(ctx, current)
		case neverBegan(resp):
			return resp.Errors
		case !op.send(ctx, resp):
			return nil
		case current.Operation.Operation != ast.Subscription:
			return nil
		}
	}
}

// send writes one result. It reports false once the client cannot get further ones.
func (op *operation) send(ctx context.Context, resp *graphql.Response) bool {
	frame := frames.Get().(*[]byte)
	head, tail := envelope(resp)
	b := appendHead((*frame)[:0], typeNext, op.quotedID)
	b = append(b, head...)
	b = append(b, resp.Data...)
	b = append(b, tail...)
	b = append(b, '}')
	sent := op.socket.send(ctx, nil, b)
	if cap(b) <= maxPooledFrame {
		*frame = b
		frames.Put(frame)
	}
	return sent
}

// frames holds buffers for messages; one that a large answer has stretched is not kept.
var frames = sync.Pool{New: func() any { return new([]byte) }}

const maxPooledFrame = 64 << 10

func (op *operation) errorMessage(errs gqlerror.List) []byte {
	return append(append(appendHead(nil, typeError, op.quotedID), encode(bounded(errs))...), '}')
}

// presentFailure returns the errors of an operation that gives no further results: that of Fail, or that a deadline set
// by an interceptor has passed. There are none if it has simply ended.
func (op *operation) presentFailure(ctx context.Context, current *graphql.OperationContext) gqlerror.List {
	err := op.failed()
	if err == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fault.Wrap(ctx.Err(), fault.Unavailable, "the time for this operation is over")
	}
	if err == nil {
		return nil
	}
	ctx = graphql.WithOperationContext(ctx, current)
	return op.socket.exec.DispatchError(ctx, gqlerror.List{asGraphQL(err)}).Errors
}

// panicked says what the client gets to know of a panic: what the executor's RecoverFunc makes of it, once there is one.
func (op *operation) panicked(ctx context.Context, current *graphql.OperationContext, p any) gqlerror.List {
	if current != nil && current.RecoverFunc != nil {
		return gqlerror.List{asGraphQL(current.RecoverFunc(ctx, p))}
	}
	op.socket.transport.log().ErrorContext(ctx, "panic in an operation", "panic", p, "stack", string(debug.Stack()))
	return gqlerror.List{asGraphQL(errors.New("panic"))}
}
