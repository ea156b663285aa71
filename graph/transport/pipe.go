package transport

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// form is how a stream is divided. Its functions append to b; op is the client's name for the operation, as JSON, empty where
// the stream is of one operation alone.
type form struct {
	kind  Kind
	media string        // Content-Type
	idle  time.Duration // the longest silence

	opening, alive, closing string // at the beginning, after silence, at the end

	next     func(b []byte, op string, a *Answer) []byte
	failure  func(b []byte, op string, errs []byte, begun bool) []byte // begun: execution had, and was given up
	complete func(b []byte, op string) []byte

	returns bool // clients come again by themselves after an end that is not complete
}

// pipe is one response that goes on. The goroutine of its handler writes what is published; what is executed for one operation
// alone is written by that one's.
type pipe struct {
	transport *Streaming
	form      *form
	home      *Subscriptions
	owner     string
	token     string      // of a reserved one, which holds many operations; empty: it ends with its only one
	expiry    *time.Timer // of the reservation
	claimed   bool        // it is not to be opened again; under the lock of transport

	ctx   context.Context // ends with the stream
	end   context.CancelCauseFunc
	ready chan struct{} // holds an element when there may be something to take

	writing chan struct{} // holds an element while something is written
	out     http.ResponseWriter
	control *http.ResponseController
	silence *time.Timer
	broken  bool // a write has failed

	mu      sync.Mutex
	started bool       // operations run from now on
	over    bool       // no operation is added any more
	ops     []*pulling // those that are not over; replaced, never changed
	held    int64      // what they weigh
	running sync.WaitGroup
}

func newPipe(t *Streaming, form *form, owner string) *pipe {
	return &pipe{transport: t, form: form, home: t.subscriptions(), owner: owner, ready: make(chan struct{}, 1), writing: make(chan struct{}, 1)}
}

// live gives the pipe the context that it lives as long as.
func (p *pipe) live(ctx context.Context) { p.ctx, p.end = context.WithCancelCause(ctx) }

// serve writes the stream to w until it ends.
func (p *pipe) serve(w http.ResponseWriter, session Session) {
	p.attach(w)
	defer p.close()
	if !session.Expires.IsZero() {
		defer time.AfterFunc(time.Until(session.Expires), func() { p.end(errExpired) }).Stop()
	}
	p.write(p.ctx, []byte(p.form.opening))
	p.start()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.ready:
			p.flush()
		case <-p.silence.C:
			p.write(p.ctx, []byte(p.form.alive))
		}
	}
}

var errExpired = fault.New(fault.Unauthenticated, "the credential has expired")

// attach begins the response.
func (p *pipe) attach(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", p.form.media)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no") // nginx would wait for more
	p.out, p.control = w, http.NewResponseController(w)
	p.silence = time.NewTimer(p.idle())
}

func (p *pipe) idle() time.Duration { return cmp.Or(p.transport.Idle, p.form.idle) }

// piece is how many bytes a client has to take within Stall.
const piece = 16 << 10

// write writes b, unless ctx or the stream has ended, and reports whether the client may take more. Where the client makes no
// progress the stream ends. A message that is being written when the stream ends has no longer than Stall from then on.
func (p *pipe) write(ctx context.Context, b []byte) bool {
	select {
	case p.writing <- struct{}{}:
		defer func() { <-p.writing }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil || p.broken {
		return false
	}
	var deadline time.Time
	for some := range slices.Chunk(b, piece) {
		if deadline.IsZero() || p.ctx.Err() == nil {
			deadline = time.Now().Add(p.transport.stall())
		}
		_ = p.control.SetWriteDeadline(deadline)
		_, err := p.out.Write(some)
		if err = errors.Join(err, p.control.Flush()); err != nil {
			p.broken = true
			p.end(errGone)
			return false
		}
	}
	_ = p.control.SetWriteDeadline(time.Time{}) // HTTP/2 would end the stream when it passes
	p.silence.Reset(p.idle())
	return true
}

// flush takes from all operations in turn what is published, and writes it.
func (p *pipe) flush() {
	for more := true; more; {
		more = false
		for _, op := range p.operations() {
			if op.next() {
				more = true
			}
		}
	}
}

// wake has the handler take what there is. It does not wait.
func (p *pipe) wake() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// add takes an operation in, which runs as soon as the pipe is served.
func (p *pipe) add(op *pulling) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	most, bytes := p.transport.maxOperations(), p.transport.maxHeld()
	switch {
	case p.over:
		return errNoStream
	case p.find(op.id) != nil:
		return fault.New(fault.Conflict, "an operation of this operationId is running")
	case len(p.ops) >= most:
		return fault.New(fault.TooMany, "at most %d operations can run on one stream", most)
	case !p.started && len(p.ops) >= maxWaiting:
		return fault.New(fault.TooMany, "at most %d operations can wait for the stream to be opened", maxWaiting)
	case p.token != "" && p.held+op.weight > bytes:
		return fault.New(fault.TooMany, "the documents and variables of the operations of one stream can take %d bytes", bytes)
	}
	if err := p.home.hold(p.owner, op.weight); err != nil {
		return err
	}
	p.held += op.weight
	p.ops = append(slices.Clone(p.ops), op)
	if p.started {
		p.launch(op)
	}
	return nil
}

// abandon gives up a pipe that nobody has opened.
func (p *pipe) abandon() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	for _, op := range p.operations() {
		op.finish()
	}
}

// start launches the operations that were there before.
func (p *pipe) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.started = true
	for _, op := range p.ops {
		p.launch(op)
	}
}

// launch starts an operation. With p.mu held.
func (p *pipe) launch(op *pulling) {
	op.ctx, op.end = context.WithCancelCause(p.ctx)
	op.alone.Store(true)
	p.running.Go(op.run)
}

// find returns the operation that the client calls id, or nil. With p.mu held.
func (p *pipe) find(id string) *pulling {
	for _, op := range p.ops {
		if op.id == id {
			return op
		}
	}
	return nil
}

// remove takes op out. It reports false if that was done before.
func (p *pipe) remove(op *pulling) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.Index(p.ops, op)
	if at >= 0 {
		p.ops = slices.Delete(slices.Clone(p.ops), at, at+1)
		p.held -= op.weight
		p.home.letGo(p.owner, op.weight)
	}
	return at >= 0
}

func (p *pipe) operations() []*pulling {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ops
}

// close says why the stream ends and returns when nothing of it runs any more.
func (p *pipe) close() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.write(context.WithoutCancel(p.ctx), p.farewell())
	if p.form.returns && !errors.Is(context.Cause(p.ctx), io.EOF) {
		_ = p.control.SetWriteDeadline(time.Unix(0, 1)) // the response ends broken off: one that ends well may pass for complete
	}
	for _, op := range p.operations() {
		op.finish()
	}
	p.end(nil)
	p.running.Wait()
	p.silence.Stop()
}

// farewell is the last that is written: to those whose operations are not over a fault, unless they learn it when they come again.
func (p *pipe) farewell() (b []byte) {
	cause := context.Cause(p.ctx)
	var f *fault.Error
	switch {
	case errors.Is(cause, io.EOF):
	case !errors.As(cause, &f):
		return nil // the client has gone
	case f.Code == fault.Unavailable && p.form.returns:
	default:
		for _, op := range p.operations() {
			b = p.form.failure(b, op.name, op.failureOf(f).Body, true)
		}
	}
	return append(b, p.form.closing...)
}
