package transport

import (
	"bytes"
	"cmp"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/internal/fault"
)

// DefaultMaxBody is the longest request body that HTTP reads where nothing else is set: 256 KiB.
const DefaultMaxBody = 256 << 10

// HTTP answers queries by GET and POST, and mutations by POST, as https://graphql.github.io/graphql-over-http asks.
//
// It takes whatever request reaches it, so add it to the server after every other transport. How long a request may take
// is the business of its context and of the http.Server. Safe for concurrent use.
type HTTP struct {
	MaxBody int64  // longest request body in bytes; 0: DefaultMaxBody. A longer one is refused with 413
	Beside  string // the methods that the transports before it take, for Allow: "PUT, DELETE" of Streaming
}

var _ graphql.Transport = HTTP{}

// Supports implements graphql.Transport: it takes any request, and refuses by name what it cannot serve.
func (h HTTP) Supports(*http.Request) bool { return true }

// Do implements graphql.Transport: it reads one request, has exec run it and writes the answer.
//
// A request that is not well formed gets 4xx in any media type. A well-formed one whose execution never began gets 200 as
// application/json and 4xx or 5xx as application/graphql-response+json, and no data member.
func (h HTTP) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	w.Header().Add("Vary", "Accept")
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", h.allowed())
		w.WriteHeader(http.StatusNoContent)
		return
	}
	media, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		refuse(w, mediaJSON, fault.New(fault.NotAcceptable, "the answer is %s or %s", mediaGraphQL, mediaJSON))
		return
	}
	params, err := h.read(w, r)
	if err != nil {
		refuse(w, media, err)
		return
	}
	h.execute(w, r, exec, params, media)
}

func (h HTTP) allowed() string {
	if h.Beside != "" {
		return "GET, POST, " + h.Beside + ", OPTIONS"
	}
	return "GET, POST, OPTIONS"
}

func (h HTTP) read(w http.ResponseWriter, r *http.Request) (params *graphql.RawParams, err error) {
	start := graphql.Now()
	switch r.Method {
	case http.MethodGet:
		params, err = requestOfURL(r.URL.RawQuery)
	case http.MethodPost:
		params, err = h.readBody(w, r)
	default:
		w.Header().Set("Allow", h.allowed())
		err = fault.New(fault.MethodNotAllowed, "use POST, or GET for queries")
	}
	if err != nil {
		return nil, err
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return params, nil
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (h HTTP) readBody(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, error) {
	if err := checkContent(r.Header); err != nil {
		return nil, err
	}
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, cmp.Or(h.MaxBody, DefaultMaxBody))); err != nil {
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			return nil, fault.New(fault.TooLarge, "the request is longer than %d bytes", tooLong.Limit)
		}
		return nil, fault.Wrap(err, fault.BadRequest, "the request could not be read to its end")
	}
	members, err := decodeObject(body.Bytes())
	if err != nil {
		return nil, err
	}
	return requestOf(members)
}

// checkContent refuses bodies that are not plain JSON in UTF-8. Since application/json is a type that no HTML form can
// send, it also keeps other sites' forms out.
func checkContent(header http.Header) error {
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != mediaJSON {
		return fault.New(fault.MediaType, "the Content-Type must be %s", mediaJSON)
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return fault.New(fault.MediaType, "the charset must be utf-8")
	}
	if coding := header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return fault.New(fault.MediaType, "the body must not have a Content-Encoding")
	}
	return nil
}

func (h HTTP) execute(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, params *graphql.RawParams, media string) {
	op, errs := exec.CreateOperationContext(r.Context(), params)
	h.answer(w, r, exec, op, errs, media)
}

// answer runs op, or says by errs why it cannot be.
func (h HTTP) answer(
	w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, op *graphql.OperationContext, errs gqlerror.List, media string,
) {
	ctx := r.Context()
	if len(errs) > 0 {
		resp := exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)
		writeResponse(w, media, requestStatus(w, media, errs), resp)
		return
	}
	switch kind := op.Operation.Operation; {
	case kind != ast.Query && r.Method == http.MethodGet:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, media, fault.New(fault.MethodNotAllowed, "only queries can be sent by GET"))
		return
	case kind == ast.Subscription:
		resp := refusal(fault.New(fault.BadRequest, "subscriptions need a WebSocket with the subprotocol %s, or Accept: %s or %s;subscriptionSpec=1.0",
			Subprotocol, mediaEvents, mediaParts))
		writeResponse(w, media, requestStatus(w, media, resp.Errors), resp)
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, op)
	resp := responses(ctx)
	switch {
	case resp == nil && ctx.Err() != nil:
		refuse(w, media, fault.Wrap(ctx.Err(), fault.Unavailable, "the time for this request is over"))
	case resp == nil:
		refuse(w, media, fault.New(fault.Internal, "the operation gave no answer"))
	case neverBegan(resp):
		writeResponse(w, media, requestStatus(w, media, resp.Errors), resp)
	default:
		writeResponse(w, media, http.StatusOK, resp)
	}
}

// requestStatus returns the status of a well-formed request whose execution never began.
func requestStatus(w http.ResponseWriter, media string, errs gqlerror.List) int {
	status := http.StatusBadRequest
	for _, err := range errs {
		var f *fault.Error
		if errors.As(err, &f) {
			status = statusOf(f)
			setRetryAfter(w, f)
			break
		}
	}
	if media == mediaJSON {
		return http.StatusOK
	}
	return status
}

// refuse answers a request that never became an operation.
func refuse(w http.ResponseWriter, media string, err error) {
	f := fault.Of(err)
	setRetryAfter(w, f)
	writeResponse(w, media, statusOf(f), refusal(f))
}

// statusOf returns f's HTTP status, where GraphQL over HTTP knows no 422.
func statusOf(f *fault.Error) int {
	if status := f.Code.Door().HTTP; status != http.StatusUnprocessableEntity {
		return status
	}
	return http.StatusBadRequest
}

// setRetryAfter tells when to try again, which an answer of 429 or 503 always does.
func setRetryAfter(w http.ResponseWriter, f *fault.Error) {
	wait := f.RetryAfter
	if wait <= 0 && (f.Code == fault.TooMany || f.Code == fault.Unavailable) {
		wait = time.Second
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
}

func writeResponse(w http.ResponseWriter, media string, status int, resp *graphql.Response) {
	head, tail := envelope(resp)
	header := w.Header()
	header.Set("Content-Type", media+"; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Length", strconv.Itoa(len(head)+len(resp.Data)+len(tail)))
	w.WriteHeader(status)
	// Errors of writing mean that the client has gone: there is nobody left to tell.
	_, _ = w.Write([]byte(head))
	_, _ = w.Write(resp.Data)
	_, _ = w.Write([]byte(tail))
}
