package export

import (
	"context"
	"net/http"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/internal/fault"
)

const (
	// maxStatisticSeries is how many series one request may take together.
	maxStatisticSeries = 10_000
	// computing is how long an answer may be computed. To send it may take longer: see stall.
	computing = 30 * time.Second
)

// Engine computes statistics, as analysis.Engine does.
type Engine interface {
	Answer(ctx context.Context, r analysis.Request) (*analysis.Answer, error)
}

// Statistics answers GET /v1/export/statistics. Safe for concurrent use.
type Statistics struct {
	exports *Handler
	engine  Engine
	limit   time.Duration // of the engine
	running chan struct{}
}

// NewStatistics returns the door to what engine says of the series that exports shows to whoever asks. It lets in as many as
// exports does, beside those.
func NewStatistics(exports *Handler, engine Engine) *Statistics {
	return &Statistics{exports: exports, engine: engine, limit: computing, running: make(chan struct{}, maxExports)}
}

// Serve answers one request with the statistics that its query names, a row for each bucket: group by group, each in order
// of time. Buckets without readings have a row only where a fill is asked for.
//
// Query: series, metric, device, project, from, to and format, as Handler.Serve takes them, but without from the range begins
// with the first reading and without to it ends now; every (a period of ISO 8601) or calendar (minute … year), neither for
// one bucket; zone (IANA), alignment (calendar, range), week_start, fill; group_by (device, metric, series, label:KEY), as
// often as needed; statistics, names of stats.Named divided by commas; compare_to, a period; top, top_by and ascending, the
// groups that come first.
//
// Faults before the first byte of the answer are returned, among them all that come while it is computed: those of
// Handler.Serve, Invalid for what cannot be computed, Unavailable for what takes more than half a minute. A later one breaks
// the connection.
func (h *Statistics) Serve(w http.ResponseWriter, r *http.Request) error {
	if err := mayRead(auth.FromContext(r.Context())); err != nil {
		return err
	}
	q, err := parseStatistics(r, time.Now())
	if err != nil {
		return err
	}
	return h.exports.answer(w, r, h.running, "statistics", q.format, func(ctx context.Context, s *stream) error { return h.write(ctx, s, q) })
}

// write computes the answer, and then writes it.
func (h *Statistics) write(ctx context.Context, s *stream, q statisticsQuery) error {
	groups, answer, err := h.compute(ctx, q)
	if err != nil {
		return err
	}
	rows := newStatisticsRows(q)
	if err := s.write(rows.head()); err != nil {
		return err
	}
	for i, g := range answer.Groups {
		rows.of(groups[g.Place].cells)
		for _, bucket := range answer.Statistics(i, q.fill) {
			if err := s.write(rows.append(bucket)); err != nil {
				return err
			}
		}
	}
	return s.end()
}

// compute finds the groups and asks the engine for them, within the time that there is for it. Without series there are no
// groups, and the answer is empty.
func (h *Statistics) compute(ctx context.Context, q statisticsQuery) (groups []seriesGroup, answer *analysis.Answer, err error) {
	limited, cancel := context.WithTimeout(ctx, h.limit)
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() == nil && limited.Err() != nil { // else it would look like the database's doing
			err = fault.Wrap(err, fault.Unavailable, "this takes too long: ask for less at once").After(time.Second)
		}
	}()
	if err := h.exports.choose(limited, &q.query); err != nil {
		return nil, nil, err
	}
	series, err := h.series(limited, q.query)
	if err != nil {
		return nil, nil, err
	}
	groups = groupSeries(series, q.groupBy)
	if len(groups) == 0 {
		return nil, &analysis.Answer{}, nil
	}
	if answer, err = h.engine.Answer(limited, q.request(groups)); err != nil {
		return nil, nil, err
	}
	if q.top > 0 {
		answer.Top(q.top, q.topBy, q.ascending)
	}
	return groups, answer, nil
}

// series returns all that q matches, in the order of their devices' names, metrics and labels.
func (h *Statistics) series(ctx context.Context, q query) (found []*db.Series, err error) {
	for page, err := range h.exports.pages(ctx, q) {
		if err != nil {
			return nil, err
		}
		if found = append(found, page...); len(found) > maxStatisticSeries {
			return nil, fault.New(fault.Invalid, "these are more than %d series: name fewer", maxStatisticSeries)
		}
	}
	return found, nil
}
