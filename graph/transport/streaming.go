package transport

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/internal/fault"
)

// Streaming answers queries, mutations and subscriptions by responses that go on: as Server-Sent Events, by a connection for each
// operation or by one for many (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), and as
// multipart/mixed;subscriptionSpec=1.0, Apollo's multipart protocol.
//
// Its fields are set before its first use and not changed after; its methods are safe for concurrent use. Use it by pointer, and
// add it to the server before HTTP. A client that takes plain JSON as willingly gets streams for subscriptions alone.
//
// A request that is not well formed is refused as HTTP refuses it. All else is said by the stream: `next`, with errors if need
// be, then `complete`. A fault that concerns more than the operation (Unauthenticated, Unavailable, Lagging) breaks a stream of
// events off, so that the client comes again and goes on after its cursor; of Unavailable it is told nothing before. A stream of
// parts ends with the fault, whatever it is: its clients do not come again by themselves.
type Streaming struct {
	Plain HTTP // reads the requests, and answers what needs no stream

	// Session says how long the rights hold of the request that ctx is of. The context that it returns, derived from ctx, is the
	// parent of every operation's: when it ends the stream does, with the *fault.Error that is its cause. nil: for ever.
	Session func(ctx context.Context) (context.Context, Session)
	// CheckOrigin says whether a page of that Origin may GET a stream; nil: SameOrigin. Else 403. Other methods are not sent by a
	// browser for another origin's page before the server was asked.
	CheckOrigin func(*http.Request) bool

	MaxStreams    int           // open or reserved, beyond: 503; 0: 5,000
	MaxOperations int           // of one reserved stream, beyond: 429; 0: 64
	MaxHeld       int64         // bytes that the documents and variables of these may take, beyond: 429; 0: 1 MiB
	Reservation   time.Duration // how long a reserved stream waits to be opened; 0: 30 s
	Stall         time.Duration // longest time without progress while something is written, beyond: cut; 0: 5 s
	Idle          time.Duration // longest silence before the client is told that the stream is alive; 0: 12 s, of multipart 5 s

	// Subscriptions executes what is subscribed to; nil: Subscriptions of its own, whose zero value is used.
	Subscriptions *Subscriptions
	Log           *slog.Logger // for what no client may see; nil: slog.Default()

	mu       sync.Mutex
	pipes    map[*pipe]struct{} // open and reserved
	reserved map[string]*pipe   // by token
	closed   bool
	running  sync.WaitGroup // the handlers of open pipes
}

var _ graphql.Transport = (*Streaming)(nil)

// Supports implements graphql.Transport: it takes requests whose client reads streams, and those that concern a reserved stream.
func (t *Streaming) Supports(r *http.Request) bool {
	switch r.Method {
	case http.MethodPut, http.MethodDelete:
		return true
	case http.MethodGet, http.MethodPost:
		return tokenOf(r) != "" || wishesOf(r.Header).form() != nil
	}
	return false
}

// Do implements graphql.Transport. Of a stream it returns when the stream has ended.
func (t *Streaming) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	w.Header().Add("Vary", "Accept")
	w.Header().Set("Cache-Control", "no-store")
	token, client := tokenOf(r), wishesOf(r.Header)
	form := client.form()
	switch {
	case r.Method == http.MethodPut:
		t.reserve(w, r)
	case r.Method == http.MethodDelete:
		t.stop(w, r, token)
	case r.Method == http.MethodGet && form != nil && !t.welcome(r):
		refuse(w, mediaJSON, fault.New(fault.Forbidden, "a page of another origin cannot read this stream"))
	case token == "":
		t.answer(w, r, exec, client)
	case r.Method == http.MethodGet && form == sse:
		t.open(w, r, token)
	default:
		t.operate(w, r, exec, token)
	}
}

// answer answers one operation by a stream of its own, or as HTTP does where the client wants no stream for it.
func (t *Streaming) answer(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, client wishes) {
	media, _ := negotiate(r.Header.Values("Accept"))
	params, err := t.Plain.read(w, r)
	if err != nil {
		refuse(w, media, err)
		return
	}
	op, errs := exec.CreateOperationContext(r.Context(), params)
	kind := kindOf(op, errs)
	if kind == ast.Mutation && r.Method == http.MethodGet || kind != ast.Subscription && !client.streams() {
		t.Plain.answer(w, r, exec, op, errs, media)
		return
	}
	only := &pulling{exec: exec, params: params, op: op, invalid: errs, weight: weightOf(params)}
	form := client.form()
	if form == sse {
		only.after = r.Header.Get("Last-Event-ID")
	}
	t.stream(w, r, form, only)
}

// stream serves a stream of one operation alone.
func (t *Streaming) stream(w http.ResponseWriter, r *http.Request, form *form, only *pulling) {
	p := newPipe(t, form, t.owner(r))
	ctx, session := t.session(r.Context())
	p.live(ctx)
	if err := t.admit(p); err != nil {
		refuse(w, mediaJSON, err)
		return
	}
	defer t.leave(p)
	only.pipe = p
	if err := p.add(only); err != nil {
		refuse(w, mediaJSON, err)
		return
	}
	p.serve(w, session)
}

// kindOf returns what kind of operation op is; empty: execution cannot begin.
func kindOf(op *graphql.OperationContext, errs gqlerror.List) ast.Operation {
	if len(errs) > 0 {
		return ""
	}
	return op.Operation.Operation
}

// welcome reports whether a stream may be sent to where r comes from.
func (t *Streaming) welcome(r *http.Request) bool {
	if t.CheckOrigin != nil {
		return t.CheckOrigin(r)
	}
	return SameOrigin(r)
}

// admit counts a pipe in that is served now. It is to be followed by leave.
func (t *Streaming) admit(p *pipe) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.enter(p); err != nil {
		return err
	}
	t.running.Add(1)
	return nil
}

// enter counts a pipe in, unless there are too many. With t.mu held.
func (t *Streaming) enter(p *pipe) error {
	switch {
	case t.closed:
		return errRestarting
	case len(t.pipes) >= cmp.Or(t.MaxStreams, 5000):
		return fault.New(fault.Unavailable, "too many streams are open")
	case t.pipes == nil:
		t.pipes, t.reserved = map[*pipe]struct{}{}, map[string]*pipe{}
	}
	t.pipes[p] = struct{}{}
	return nil
}

// leave forgets a pipe that was served.
func (t *Streaming) leave(p *pipe) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(p)
	t.running.Done()
}

// forget lets a pipe and its token go. With t.mu held.
func (t *Streaming) forget(p *pipe) {
	delete(t.pipes, p)
	delete(t.reserved, p.token)
}

// Open returns how many streams are open or reserved.
func (t *Streaming) Open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.pipes)
}

var errRestarting = fault.New(fault.Unavailable, restartingReason).After(time.Second)

// Shutdown refuses further streams with 503, ends the open ones, so that their clients come again elsewhere, and waits until
// they have ended. When ctx ends first it returns an error that wraps ctx's: what is being written then ends by its own
// deadline. There is no way back.
func (t *Streaming) Shutdown(ctx context.Context) error {
	t.shut()
	ended := make(chan struct{})
	go func() {
		t.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("end streams: %w", ctx.Err())
	}
}

func (t *Streaming) shut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for p := range t.pipes {
		if p.token != "" && !p.claimed {
			p.expiry.Stop()
			t.forget(p)
			p.abandon()
			continue
		}
		p.end(errRestarting)
	}
}

// subscriptions is called without t.mu.
func (t *Streaming) subscriptions() *Subscriptions {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Subscriptions == nil {
		t.Subscriptions = &Subscriptions{Log: t.Log}
	}
	return t.Subscriptions
}

func (t *Streaming) owner(r *http.Request) string { return t.subscriptions().owner(r.Context()) }

func (t *Streaming) session(ctx context.Context) (context.Context, Session) {
	if t.Session == nil {
		return ctx, Session{}
	}
	return t.Session(ctx)
}

func (t *Streaming) maxOperations() int         { return cmp.Or(t.MaxOperations, 64) }
func (t *Streaming) maxHeld() int64             { return cmp.Or(t.MaxHeld, 1<<20) }
func (t *Streaming) reservation() time.Duration { return cmp.Or(t.Reservation, 30*time.Second) }
func (t *Streaming) stall() time.Duration       { return cmp.Or(t.Stall, 5*time.Second) }
func (t *Streaming) log() *slog.Logger          { return cmp.Or(t.Log, slog.Default()) }
