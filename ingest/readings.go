package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
)

// MaxReadings is how many readings one request may carry.
const MaxReadings = 20_000

// Readings answers POST /v1/readings: decode, check, resolve, append; the answer follows the commit. Safe for concurrent
// use.
type Readings struct {
	registry *Registry
	journal  *journal.Journal
	metrics  *Metrics
	limits   Limits
	decoders sync.Pool
}

// NewReadings returns the door to a journal.
func NewReadings(registry *Registry, j *journal.Journal, m *Metrics, l Limits) *Readings {
	return &Readings{registry: registry, journal: j, metrics: m, limits: l, decoders: sync.Pool{New: func() any { return new(Decoder) }}}
}

// Serve answers one request. It takes JSON (an object, an array of them, or one a line), plain or compressed by gzip or
// zstd, with a key that has the scope ingest. Query: precision (s, ms, us, ns), partial (true, false).
func (h *Readings) Serve(w http.ResponseWriter, r *http.Request) error {
	p, err := sender(r)
	if err != nil {
		return err
	}
	if err := h.limits.request(p.Key); err != nil {
		return err
	}
	opt, partial, err := options(r.URL.RawQuery)
	if err != nil {
		return err
	}
	opt.Device = p.DeviceName
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	defer body.release()

	opt.Now = time.Now().UnixMicro()
	ack, refused, err := h.store(r.Context(), p, body.bytes, opt, partial)
	for try := 1; errors.Is(err, journal.ErrOutdated) && try < maxTries; try++ {
		h.registry.Forget(p.Project)
		ack, refused, err = h.store(r.Context(), p, body.bytes, opt, partial)
	}
	if err != nil {
		return err
	}
	h.metrics.accepted(ack)
	return answer(w, ack, refused, partial)
}

// maxTries is how often a request is tried whose series change while it is stored.
const maxTries = 5

// store decodes a body and returns when its readings are durable. It is ErrOutdated when series were deleted or changed
// meanwhile: then nothing is stored.
func (h *Readings) store(ctx context.Context, p *auth.Principal, body []byte, opt Options, partial bool) (ack journal.Ack, refused []ItemError, err error) {
	d := h.decoders.Get().(*Decoder)
	defer h.decoders.Put(d)
	batch, refused, err := d.decode(body, opt, partial)
	if err != nil || len(batch.Readings) == 0 {
		return ack, refused, err
	}
	if err := h.limits.readings(p.Key, len(batch.Readings)); err != nil {
		return ack, nil, err
	}
	ids, names, err := h.registry.Resolve(ctx, p, batch)
	if err != nil {
		return ack, nil, err
	}
	ack, err = h.journal.AppendNamed(ctx, p.Project, names, batch.Resolve(ids))
	return ack, refused, err
}

// sender returns the key that the request came with, if it may send readings.
func sender(r *http.Request) (*auth.Principal, error) {
	p := auth.FromContext(r.Context())
	switch {
	case p == nil:
		return nil, fault.New(fault.Unauthenticated, "send a device's or a project's key as Authorization: Bearer …")
	case p.Kind != auth.DeviceKey && p.Kind != auth.ProjectKey:
		return nil, fault.New(fault.Forbidden, "readings are sent with a device's or a project's key, not with a person's token")
	case !p.Can(auth.Ingest):
		return nil, fault.New(fault.Forbidden, "the key lacks the scope ingest")
	}
	return p, nil
}

// options reads the query. What it does not know it refuses: a misspelt precision would move every reading in time.
func options(raw string) (opt Options, partial bool, err error) {
	opt = Options{Max: MaxReadings}
	if raw == "" {
		return opt, false, nil
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return opt, false, fault.New(fault.BadRequest, "the query of the URL is not well formed")
	}
	for name, values := range query {
		var known bool
		switch name {
		case "precision":
			opt.Precision, known = ParsePrecision(values[0])
		case "partial":
			partial, known = values[0] == "true", values[0] == "true" || values[0] == "false"
		}
		if !known || len(values) > 1 {
			return opt, false, fault.New(fault.BadRequest, "the query takes precision (s, ms, us or ns) and partial (true or false), each once")
		}
	}
	return opt, partial, nil
}

// maxRefusals is how many refused items an answer to a partial request lists; it counts all of them.
const maxRefusals = 100

func answer(w http.ResponseWriter, ack journal.Ack, refused []ItemError, partial bool) error {
	b := make([]byte, 0, 64)
	b = strconv.AppendInt(append(b, `{"accepted":`...), int64(ack.Accepted), 10)
	b = strconv.AppendInt(append(b, `,"late":`...), int64(ack.Late), 10)
	b = strconv.AppendInt(append(b, `,"offset":`...), ack.Offset, 10)
	if partial {
		b = strconv.AppendInt(append(b, `,"refused":`...), int64(len(refused)), 10)
		b = appendRefusals(append(b, `,"errors":`...), refused[:min(len(refused), maxRefusals)])
	}
	b = append(b, '}', '\n')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // committed: a client that is gone asks again, and the same readings are the same
	return nil
}

func appendRefusals(b []byte, refused []ItemError) []byte {
	b = append(b, '[')
	for i, e := range refused {
		if i > 0 {
			b = append(b, ',')
		}
		f := fault.Of(e.Err)
		one, err := json.Marshal(refusal{e.Index, f.Code, f.Message})
		if err != nil {
			panic(err) // a struct of text and a number
		}
		b = append(b, one...)
	}
	return append(b, ']')
}

// refusal is one item of a partial request that was not taken.
type refusal struct {
	Index  int        `json:"index"`
	Code   fault.Code `json:"code"`
	Detail string     `json:"detail"`
}
