// Package problem is how the REST doors answer faults: RFC 9457 problem details with the code of the one table, the place
// of the bad item, and a request id that leads to the log line. Handlers return errors; Handler is the one adapter that
// writes and logs them.
package problem

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// Details is the body of an answer that is not 2xx (application/problem+json).
type Details struct {
	Title     string     `json:"title"`
	Status    int        `json:"status"`
	Code      fault.Code `json:"code"`
	Detail    string     `json:"detail"`
	Index     *int       `json:"index,omitempty"` // the bad item, counted from 0
	Line      int        `json:"line,omitempty"`  // the bad line, counted from 1
	RequestID string     `json:"requestId,omitempty"`
}

// Write answers err as a problem. It does not log: see Handler.
func Write(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.Of(err)
	status := f.Code.Door().HTTP
	h := w.Header()
	h.Del("Content-Encoding")
	h.Del("ETag")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="readout"`)
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Details{
		Title: http.StatusText(status), Status: status, Code: f.Code, Detail: f.Message,
		Index: f.Index, Line: f.Line, RequestID: RequestID(r.Context()),
	})
}

// Handler adapts a function that returns an error: the error is answered by Write, and what is our fault is logged once,
// here, with the request's id. A panic is one answer and one log line.
func Handler(log *slog.Logger, h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so, too
					panic(p)
				}
				log.ErrorContext(r.Context(), "panic", "panic", p, "stack", string(debug.Stack()), "request_id", RequestID(r.Context()))
				Write(w, r, fault.New(fault.Internal, "something went wrong here"))
			}
		}()
		err := h(w, r)
		if err == nil {
			return
		}
		Log(r.Context(), log, err)
		Write(w, r, err)
	})
}

// maxLogged is how much of an error is logged, in bytes: it may hold what a client sent.
const maxLogged = 1024

// Log writes err to the log when it is our fault; what clients do wrong is counted, not logged.
func Log(ctx context.Context, log *slog.Logger, err error) {
	f := fault.Of(err)
	if f.Code.Door().HTTP < http.StatusInternalServerError || errors.Is(err, context.Canceled) {
		return // the client's doing
	}
	level := slog.LevelError
	if f.Code == fault.Unavailable {
		level = slog.LevelWarn
	}
	text := err.Error()
	log.Log(ctx, level, "request failed", "code", f.Code, "error", text[:min(len(text), maxLogged)], "request_id", RequestID(ctx))
}

// Methods lets a handler answer some methods; another gets 405 with Allow.
func Methods(next http.Handler, allowed ...string) http.Handler {
	allow := allowed[0]
	for _, m := range allowed[1:] {
		allow += ", " + m
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, m := range allowed {
			if r.Method == m {
				next.ServeHTTP(w, r)
				return
			}
		}
		w.Header().Set("Allow", allow)
		Write(w, r, fault.New(fault.MethodNotAllowed, "this path takes %s", allow))
	})
}

type requestID struct{}

// WithRequestID gives every request an id of its own, said in the header X-Request-Id of the answer. An id sent by the
// client is not taken: it would let clients write into the log.
func WithRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:16]
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestID{}, id)))
	})
}

// RequestID returns the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestID{}).(string)
	return id
}
