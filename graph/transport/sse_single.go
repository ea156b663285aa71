package transport

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/internal/fault"
)

// tokenOf returns the token of the reserved stream that r is about; empty: none. A browser's EventSource can only put it into the
// URL: it is of no use without the credential of the one who reserved.
func tokenOf(r *http.Request) string {
	if token := r.Header.Get("X-GraphQL-Event-Stream-Token"); token != "" {
		return token
	}
	if !strings.Contains(r.URL.RawQuery, "token=") {
		return ""
	}
	return r.URL.Query().Get("token")
}

// reserve answers PUT with a token, by which operations are sent and the stream is opened.
func (t *Streaming) reserve(w http.ResponseWriter, r *http.Request) {
	p := newPipe(t, sse, t.owner(r))
	p.token = rand.Text()
	if err := t.keep(p); err != nil {
		refuse(w, mediaJSON, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(p.token))
}

// keep takes in a pipe that is opened soon, or forgotten.
func (t *Streaming) keep(p *pipe) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.mayReserve(p.owner); err != nil {
		return err
	}
	if err := t.enter(p); err != nil {
		return err
	}
	t.reserved[p.token] = p
	p.expiry = time.AfterFunc(t.reservation(), func() { t.expire(p) })
	return nil
}

// How many streams of many operations an owner may have: reserved, and in all; and how many operations wait for one to be opened.
const (
	maxUnopened = 16
	maxReserved = 64
	maxWaiting  = 8
)

// mayReserve returns why an owner cannot have a further stream. With t.mu held.
func (t *Streaming) mayReserve(owner string) error {
	unopened, all := 0, 0
	for _, p := range t.reserved {
		if p.owner == owner {
			all++
			if !p.claimed {
				unopened++
			}
		}
	}
	switch {
	case all >= maxReserved:
		return fault.New(fault.TooMany, "at most %d streams of many operations can be open", maxReserved)
	case unopened >= maxUnopened:
		return fault.New(fault.TooMany, "at most %d streams can be reserved before one of them is opened", maxUnopened)
	}
	return nil
}

func (t *Streaming) expire(p *pipe) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !p.claimed {
		t.forget(p)
		p.abandon()
	}
}

var errNoStream = fault.New(fault.NotFound, "there is no such stream: reserve one by PUT")

// find returns the pipe that r's client has reserved under token.
func (t *Streaming) find(r *http.Request, token string) (*pipe, error) {
	owner := t.owner(r)
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.reserved[token]
	if p == nil || p.owner != owner {
		return nil, errNoStream
	}
	return p, nil
}

// open answers GET with the stream.
func (t *Streaming) open(w http.ResponseWriter, r *http.Request, token string) {
	p, err := t.find(r, token)
	if err != nil {
		refuse(w, mediaJSON, err)
		return
	}
	ctx, session := t.session(r.Context())
	if err := t.claim(ctx, p); err != nil {
		refuse(w, mediaJSON, err)
		return
	}
	defer t.leave(p)
	p.serve(w, session)
}

// claim makes p the stream of the one who calls it first.
func (t *Streaming) claim(ctx context.Context, p *pipe) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case p.claimed:
		return fault.New(fault.Conflict, "this stream is open already")
	case t.reserved[p.token] != p:
		return errNoStream
	}
	p.claimed = true
	p.live(ctx)
	t.running.Add(1)
	return nil
}

// operate takes an operation whose results go into a reserved stream: 202. What is wrong with the request is answered as HTTP does.
func (t *Streaming) operate(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, token string) {
	media, _ := negotiate(r.Header.Values("Accept"))
	p, err := t.find(r, token)
	if err != nil {
		refuse(w, media, err)
		return
	}
	params, err := t.Plain.read(w, r)
	if err != nil {
		refuse(w, media, err)
		return
	}
	id, err := operationID(params)
	if err != nil {
		refuse(w, media, err)
		return
	}
	op, errs := exec.CreateOperationContext(r.Context(), params)
	if len(errs) > 0 {
		resp := exec.DispatchError(graphql.WithOperationContext(r.Context(), op), errs)
		writeResponse(w, media, requestStatus(w, mediaGraphQL, errs), resp) // never 200: that is not accepted
		return
	}
	if op.Operation.Operation == ast.Mutation && r.Method == http.MethodGet {
		t.Plain.answer(w, r, exec, op, errs, media)
		return
	}
	if err := p.add(&pulling{pipe: p, id: id, name: encode(id), exec: exec, params: params, op: op, weight: weightOf(params)}); err != nil {
		refuse(w, media, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// operationID returns how the client calls the operation in the stream.
func operationID(params *graphql.RawParams) (id string, err error) {
	if err := member(params.Extensions, "operationId", "a string", &id); err != nil {
		return "", err
	}
	return id, checkID(id)
}

func checkID(id string) error {
	if id == "" || len(id) > maxID {
		return fault.New(fault.Invalid, "operationId must have 1 to %d bytes", maxID)
	}
	return nil
}

// stop answers DELETE: the operation is over, whether it was before or not, and its operationId may be used again.
func (t *Streaming) stop(w http.ResponseWriter, r *http.Request, token string) {
	p, err := t.find(r, token)
	id := r.URL.Query().Get("operationId")
	if err == nil {
		err = checkID(id)
	}
	if err != nil {
		refuse(w, mediaJSON, err)
		return
	}
	p.stop(id)
	w.WriteHeader(http.StatusOK)
}

func (p *pipe) stop(id string) {
	p.mu.Lock()
	op := p.find(id)
	p.mu.Unlock()
	if op != nil {
		op.finish()
	}
}
