// Package export streams the readings of a project as CSV or NDJSON: GET /v1/export, in constant memory, however many; and
// statistics of them: GET /v1/export/statistics.
//
// It knows which series somebody may see (through ent and its rules), how a reading or a bucket is written, and how a long
// answer is sent; where the readings come from is history's, and what they come to is that of analysis. Start reading at
// Handler.Serve; walk.go has the order of the rows, row.go their form, stream.go what happens to an answer that breaks off.
// The files statistics*.go are the same for statistics.
package export

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/problem"
)

// maxExports is how many exports run at once, which bounds their memory and the connections that they keep busy.
const maxExports = 8

// Source gives the readings of series in stretches of time, as history.Reader does.
type Source interface {
	Spans(ctx context.Context, project int64, series []int64, from, to int64, want int) iter.Seq2[history.Span, error]
}

// Handler answers GET /v1/export. Safe for concurrent use.
type Handler struct {
	client  *db.Client
	source  Source
	log     *slog.Logger
	running chan struct{}
}

// New returns the door to what source holds of the series that client shows to whoever asks.
func New(client *db.Client, source Source, log *slog.Logger) *Handler {
	return &Handler{client: client, source: source, log: log, running: make(chan struct{}, maxExports)}
}

// Serve answers one request with the readings of the series that its query names, one a row: series by series in the
// order of their devices' names, metrics and labels, each in order of time. What arrives meanwhile may be among them or not.
//
// Query: series (an id), metric, device (names), each as often as needed; project (an id), which somebody who sees
// several must name unless series are named; from and to, a half open range; format (csv, ndjson), else the header
// Accept decides.
//
// Faults before the first byte of the answer are returned: Unauthenticated, Forbidden, NotFound, BadRequest, Invalid,
// TimeInvalid, NotAcceptable, TooMany, and those of the database. A later one breaks the connection, so that nobody
// takes a part for the whole.
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request) error {
	if err := mayRead(auth.FromContext(r.Context())); err != nil {
		return err
	}
	q, err := parse(r, time.Now())
	if err != nil {
		return err
	}
	return h.answer(w, r, h.running, "readings", q.format, func(ctx context.Context, s *stream) error { return h.write(ctx, s, q) })
}

// answer lets one more export run, if there is room among those running, and sends what write writes as a file of that name.
func (h *Handler) answer(
	w http.ResponseWriter, r *http.Request, running chan struct{}, name string, f format, write func(ctx context.Context, s *stream) error,
) error {
	select {
	case running <- struct{}{}:
		defer func() { <-running }()
	default:
		return fault.New(fault.TooMany, "%d exports are running: wait for one of them to end", maxExports).After(10 * time.Second)
	}
	s := newStream(w, r, name, f)
	if err := write(r.Context(), s); err != nil {
		if !s.begun {
			return err
		}
		if r.Context().Err() == nil { // else the client is gone
			problem.Log(r.Context(), h.log, err)
		}
		panic(http.ErrAbortHandler) // the status is sent: a broken connection is all that tells
	}
	return nil
}

func mayRead(p *auth.Principal) error {
	switch {
	case p == nil:
		return fault.New(fault.Unauthenticated, "send a key or an access token as Authorization: Bearer …")
	case !p.Can(auth.Read):
		return fault.New(fault.Forbidden, "the key lacks the scope read")
	}
	return nil
}

// write writes the whole answer.
func (h *Handler) write(ctx context.Context, s *stream, q query) error {
	if err := h.choose(ctx, &q); err != nil {
		return err
	}
	rows := newRows(q.format)
	if err := s.write(rows.head()); err != nil {
		return err
	}
	walk := walk{source: h.source, project: q.project, from: q.from, to: q.to, rows: rows, out: s, group: 1}
	for page, err := range h.pages(ctx, q) {
		if err != nil {
			return err
		}
		if err := walk.page(ctx, page); err != nil {
			return err
		}
	}
	return s.end()
}
