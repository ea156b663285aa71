package transport

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/internal/fault"
)

// operation is one query, mutation or subscription on a socket. A goroutine of its own runs it, but not while it only listens
// to what it shares with others: then whoever publishes writes to the socket, or leaves it to the socket's outbox.
type operation struct {
	socket   *socket
	id       string
	quotedID string // as JSON
	weight   int64
	ctx      context.Context
	cancel   context.CancelFunc

	subscriber atomic.Pointer[subscriber] // of a subscription
	stop       atomic.Pointer[func()]     // ends its turns at the socket

	mu       sync.Mutex // held while answers are taken and written, never while somebody waits
	taken    *Answer    // that the socket did not take yet
	ending   []byte     // the last message, that the socket did not take yet
	resuming bool       // what the listener has missed is on its way

	over  atomic.Bool
	holds atomic.Int32 // one for each goroutine, and one until it is over
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

	s.waitForRoom()
	ctx, cancel := context.WithCancel(s.ctx)
	op := &operation{socket: s, id: m.id, quotedID: encode(m.id), weight: weightOf(params), ctx: ctx, cancel: cancel}
	err = s.begin(op)
	switch {
	case err == nil:
		go op.run(params)
		return
	case errors.Is(err, errDuplicate):
		s.close(closeDuplicate, fmt.Sprintf("Subscriber for %s already exists", m.id))
	default:
		s.send(s.ctx, nil, op.errorMessage(encode(gqlerror.List{asGraphQL(err)})))
	}
	cancel()
}

var (
	errDuplicate = errors.New("an operation of this id is running")
	errClosing   = errors.New("the socket is closing") // of which nobody is told
)

// begin enters op among the active operations, if it may run: errDuplicate, errClosing, or fault TooMany.
func (s *socket) begin(op *operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	most, bytes := s.transport.maxOperations(), s.transport.maxHeld()
	switch {
	case s.code != 0:
		return errClosing
	case s.active[op.id] != nil:
		return errDuplicate
	case len(s.active) >= most:
		return fault.New(fault.TooMany, "at most %d operations can run on one socket", most)
	case s.held+op.weight > bytes:
		return fault.New(fault.TooMany, "the documents and variables of the operations of one socket can take %d bytes", bytes)
	}
	if err := s.home.hold(s.owner, op.weight); err != nil {
		return err
	}
	s.held += op.weight
	s.active[op.id] = op
	s.running++
	op.holds.Store(2)
	s.transport.running.Add(1) // until run returns; the reader is counted, so this never races with the end of Wait
	call(s.transport.Hooks.OnSubscribe)
	return nil
}

// remove takes op from the active operations: from then on the client may begin another one. With s.mu held.
func (s *socket) remove(op *operation) {
	delete(s.active, op.id)
	s.held -= op.weight
	s.home.letGo(s.owner, op.weight)
}

// waitForRoom waits while as many operations that the client has completed have not returned as can be active: he may begin
// others before, but nobody has any number of them run.
func (s *socket) waitForRoom() {
	for {
		returned := s.crowded()
		if returned == nil {
			return
		}
		select {
		case <-returned:
		case <-s.ctx.Done():
			return
		}
	}
}

// crowded returns nil when another operation may run, else what is closed when one has returned.
func (s *socket) crowded() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running-len(s.active) < s.transport.maxOperations() {
		return nil
	}
	if s.returned == nil {
		s.returned = make(chan struct{})
	}
	return s.returned
}

// complete stops the operation called id for the client, who may use the id again at once: with its context ended, no
// further message of the old operation is written. An unknown id is no fault: both sides may complete at the same time.
func (s *socket) complete(id string) {
	s.mu.Lock()
	op := s.active[id]
	if op != nil {
		s.remove(op)
	}
	s.mu.Unlock()
	if op != nil {
		op.finish()
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
	s.remove(op)
	return true
}

// active reports whether the client still expects something of op.
func (op *operation) active() bool {
	s := op.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active[op.id] == op
}

// run executes op, of a subscription what comes before it only listens, and tells the client how it goes: next messages, then
// complete, or one error message.
func (op *operation) run(params *graphql.RawParams) {
	s := op.socket
	defer s.transport.running.Done()
	defer op.release()
	errs, listening := op.execute(op.ctx, params)
	if listening {
		return
	}
	defer op.finish()
	if len(errs) > 0 {
		s.send(op.ctx, op.retire, op.errorMessage(encode(bounded(errs))))
		return
	}
	s.send(op.ctx, op.retire, appendBare(nil, typeComplete, op.quotedID))
}

// finish lets go of all that op holds. It may be called twice, and beside anything else.
func (op *operation) finish() {
	if !op.over.CompareAndSwap(false, true) {
		return
	}
	op.cancel()
	op.retire()
	if sub := op.subscriber.Load(); sub != nil {
		sub.leave()
	}
	if stop := op.stop.Swap(nil); stop != nil {
		(*stop)()
	}
	op.release()
}

// release gives a hold back; with the last one op is no more.
func (op *operation) release() {
	if op.holds.Add(-1) > 0 {
		return
	}
	s := op.socket
	s.mu.Lock()
	s.running--
	if s.returned != nil {
		close(s.returned)
		s.returned = nil
	}
	s.mu.Unlock()
	call(s.transport.Hooks.OnComplete)
}

// execute sends the results of the operation until there is no further one or its context ends, or until it only has to
// listen. It returns the errors that the client gets in place of complete: because execution never began, or was given up.
func (op *operation) execute(ctx context.Context, params *graphql.RawParams) (errs gqlerror.List, listening bool) {
	exec := op.socket.exec
	ctx = graphql.StartOperationTrace(ctx)
	var current *graphql.OperationContext
	defer func() {
		if p := recover(); p != nil {
			errs, listening = op.panicked(ctx, current, p), false
		}
	}()
	current, invalid := exec.CreateOperationContext(ctx, params)
	if len(invalid) > 0 {
		return exec.DispatchError(graphql.WithOperationContext(ctx, current), invalid).Errors, false
	}
	if current.Operation.Operation == ast.Subscription {
		return nil, op.follow(current, params)
	}
	responses, ctx := exec.DispatchOperation(ctx, current)
	resp := responses(ctx)
	switch {
	case resp == nil:
		return op.late(ctx, current), false
	case neverBegan(resp):
		return resp.Errors, false
	}
	op.send(ctx, resp)
	return nil, false
}

// send writes one result.
func (op *operation) send(ctx context.Context, resp *graphql.Response) {
	frame := frames.Get().(*[]byte)
	head, tail := envelope(resp)
	b := appendHead((*frame)[:0], typeNext, op.quotedID)
	b = append(b, head...)
	b = append(b, resp.Data...)
	b = append(b, tail...)
	b = append(b, '}')
	op.socket.send(ctx, nil, b)
	keepFrame(frame, b)
}

// frames holds buffers for messages; one that a large answer has stretched is not kept.
var frames = sync.Pool{New: func() any { return new([]byte) }}

const maxPooledFrame = 64 << 10

func keepFrame(frame *[]byte, b []byte) {
	if cap(b) <= maxPooledFrame {
		*frame = b
		frames.Put(frame)
	}
}

// errorMessage returns the message that ends op with a JSON list of errors.
func (op *operation) errorMessage(errs string) []byte {
	return append(append(appendHead(nil, typeError, op.quotedID), errs...), '}')
}

// late returns the errors of an operation that gave no result: that its time was over.
func (op *operation) late(ctx context.Context, current *graphql.OperationContext) gqlerror.List {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil
	}
	err := fault.Wrap(ctx.Err(), fault.Unavailable, "the time for this operation is over")
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
