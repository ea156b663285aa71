package export_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/export"
	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/problem"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// world is a project with series, and a server that exports what source holds of them.
type world struct {
	t      *testing.T
	ctx    context.Context // of the program, which may do everything
	client *db.Client
	source *source
	server *httptest.Server
	as     *auth.Principal // who asks; nil is nobody

	statistics *export.Statistics
	engine     export.Engine // in place of the true one

	project int64
}

func setup(t *testing.T) *world {
	t.Helper()
	pool := testdb.New(t)
	w := &world{t: t, ctx: auth.NewContext(t.Context(), auth.System()), client: store.Client(pool), source: &source{}}
	t.Cleanup(func() { _ = w.client.Close() })
	w.project = w.newProject()
	w.as = &auth.Principal{Kind: auth.ProjectKey, Project: w.project, Key: 1, Scopes: auth.Read}
	handler := export.New(w.client, w.source, slog.New(slog.DiscardHandler))
	engine := analysis.New(computed{w.source}, analysis.Config{})
	w.statistics = export.NewStatistics(handler, engineFunc(func(ctx context.Context, r analysis.Request) (*analysis.Answer, error) {
		if w.engine != nil {
			return w.engine.Answer(ctx, r)
		}
		return engine.Answer(ctx, r)
	}))
	w.server = httptest.NewUnstartedServer(problem.Handler(slog.New(slog.DiscardHandler), func(rw http.ResponseWriter, r *http.Request) error {
		r = r.WithContext(auth.NewContext(r.Context(), w.as))
		if r.URL.Path == "/v1/export/statistics" {
			return w.statistics.Serve(rw, r)
		}
		return handler.Serve(rw, r)
	}))
	w.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	w.server.Start()
	t.Cleanup(w.server.Close)
	return w
}

// engineFunc is an engine of one function.
type engineFunc func(ctx context.Context, r analysis.Request) (*analysis.Answer, error)

func (f engineFunc) Answer(ctx context.Context, r analysis.Request) (*analysis.Answer, error) {
	return f(ctx, r)
}

func (w *world) newProject() int64 { return w.client.Project.Create().SetName("p").SaveX(w.ctx).ID }

// device makes a device of a project.
func (w *world) device(project int64, name string) *db.Device {
	return w.client.Device.Create().SetProjectID(project).SetName(name).SaveX(w.ctx)
}

// series makes a series with readings at these seconds of 2026-03-01, whose values are those seconds.
func (w *world) series(d *db.Device, metric, unit string, labels map[string]string, seconds ...float64) int64 {
	if labels == nil {
		labels = map[string]string{}
	}
	s := w.client.Series.Create().SetProjectID(d.ProjectID).SetDevice(d).SetMetric(metric).SetUnit(unit).SetLabels(labels).SaveX(w.ctx)
	for _, at := range seconds {
		w.source.add(reading.Reading{Series: s.ID, Time: march.UnixMicro() + int64(at*1e6), Value: at})
	}
	return s.ID
}

var march = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// person is somebody who is a viewer of some projects.
func (w *world) person(projects ...int64) *auth.Principal {
	u := w.client.User.Create().SetEmail(strconv.FormatInt(time.Now().UnixNano(), 10) + "@example.org").SetPassword("x").SaveX(w.ctx)
	for _, p := range projects {
		w.client.Member.Create().SetProjectID(p).SetUser(u).SetRole(member.RoleVIEWER).ExecX(w.ctx)
	}
	return &auth.Principal{Kind: auth.User, User: u.ID, Scopes: auth.Read | auth.Admin}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	broken error // the body's end
}

// get asks for an export; header are names and values.
func (w *world) get(query string, header ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, w.server.URL+"/v1/export"+query, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	from := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if from, err = gzip.NewReader(resp.Body); err != nil {
			w.t.Fatal(err)
		}
	}
	body, err := io.ReadAll(from)
	return answer{resp.StatusCode, resp.Header, string(body), err}
}

// source is a history in memory that gives each series' readings in stretches of at most want of all.
type source struct {
	all    map[int64][]reading.Reading
	calls  int
	fail   int   // the call that breaks off after its first stretch
	broken error // of each call
}

var errSource = errors.New("the source broke")

func (s *source) add(r reading.Reading) {
	if s.all == nil {
		s.all = map[int64][]reading.Reading{}
	}
	s.all[r.Series] = append(s.all[r.Series], r)
}

func (s *source) Spans(_ context.Context, _ int64, series []int64, from, to int64, want int) iter.Seq2[history.Span, error] {
	s.calls++
	call := s.calls
	return func(yield func(history.Span, error) bool) {
		if s.broken != nil {
			yield(history.Span{}, s.broken)
			return
		}
		for start := from; start < to; {
			end := s.end(series, start, to, want)
			span := history.Span{From: start, To: end}
			for _, id := range series {
				var rs []reading.Reading
				for _, r := range s.all[id] {
					if r.Time >= start && r.Time < end {
						rs = append(rs, r)
					}
				}
				span.Series = append(span.Series, rs)
			}
			if !yield(span, nil) {
				return
			}
			if call == s.fail {
				yield(history.Span{}, errSource)
				return
			}
			start = end
		}
	}
}

// end returns where a stretch from start with about want readings ends.
func (s *source) end(series []int64, start, to int64, want int) int64 {
	n := 0
	var last int64
	for _, id := range series {
		for _, r := range s.all[id] {
			if r.Time >= start && r.Time < to {
				n++
				last = max(last, r.Time)
			}
		}
	}
	if n <= want {
		return to
	}
	return start + (last-start)/2 + 1
}

// computed is a source as the engine of statistics reads it: without rollups.
type computed struct{ *source }

func (computed) Summaries(_ context.Context, q history.SummaryQuery, _ func(*history.Unit) error) ([]history.Part, error) {
	return []history.Part{{From: q.Bounds[0], To: q.Bounds[len(q.Bounds)-1], Series: q.Series}}, nil
}

func (s computed) First(_ context.Context, _ int64, series []int64) (t int64, ok bool, err error) {
	for _, id := range series {
		for _, r := range s.all[id] {
			if !ok || r.Time < t {
				t, ok = r.Time, true
			}
		}
	}
	return t, ok, nil
}

func (computed) Estimate(context.Context, int64, []int64, int64, int64, int) (int, bool, error) {
	return 0, false, nil
}
