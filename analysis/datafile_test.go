// Data files. A file testdata/*.test says what is stored and what the statistics of it are; to add a test is to add a file,
// or a few lines to one. Each file runs in every state that a store can be in (datafile_store_test.go), with the same answers.
//
//	# A comment reaches to the end of the line. Indented lines belong to the statement above them.
//
//	now 2026-03-09T12:00Z                     what time it is for the eval below; 2030 unless said
//
//	load boiler temperature room=1 floor=0    a series: device, metric, labels; then its readings:
//	  2026-03-02T00:00Z       5               a time and a value
//	  2026-03-02T01:00Z +10m  5 6 7 _ 8       a time, a step, values; _ is no reading
//	  2026-03-02T02:00Z +10m  1x3 1+2x5 _x2   1 1 1, 1 3 5 7 9, and two that are missing
//	late boiler temperature room=1            as load, but when the store is in its state already
//	  2026-03-02T01:05Z       50
//	delete boiler temperature room=1 2026-03-02T00:00Z 2026-03-02T01:00Z
//
//	eval from=2026-03-02T00:00Z to=2026-03-03T00:00Z every=PT1H zone=Europe/Berlin
//	  start              label          count  mean  p99.9  above:30
//	  2026-03-02T00:00Z  2026-03-02T01  6      5.5   8      null
//
// What is stored is the same for all eval, wherever they stand. Loads of one series and time: the last one holds.
//
// Options of eval: device, metric and label=KEY:VALUE narrow the series (each may be repeated); from, to; every (ISO 8601) or
// calendar (minute … year); zone; alignment=RANGE; week (a day); fill; by=device,metric,series,label:KEY; compare (a
// period); top=N top_by=NAME ascending; total shows the whole range in place of buckets.
//
// The head of the table chooses what is compared: start, end, label, filled, exact; what the groups are by; each name that
// stats.Named knows; histogram:BINS:LOW:HIGH (counts, divided by commas, or none); previous:NAME, with compare. ~NAME may be 1 % off
// where the bucket says that it is not exact; all others agree in ten digits. null is what is not known, - is no label. In place of a table may stand
//
//	fault CODE a part of the message
//
// heatmap by=weekday or by=day has the columns day, weekday, hour and statistics; correlate x=METRIC y=METRIC step=PERIOD has
// start, end, pairs, coefficient. rows=by_hand tells testdata/oracle.py, which computes rows in another language and another
// way, to leave the rows of an eval alone. Rows come from there, or from a pencil; never from the code that they test.
package analysis_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

func TestDataFiles(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.test")
	if err != nil || len(names) == 0 {
		t.Fatalf("no data files: %v", err)
	}
	var files []*dataFile
	for i, name := range names {
		file, err := parseDataFile(name, int64(i)*1000)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	for _, state := range dataStates {
		t.Run(state.name, func(t *testing.T) {
			t.Parallel()
			s := newDataStore(t)
			for _, file := range files {
				t.Run(strings.TrimSuffix(filepath.Base(file.name), ".test"), func(t *testing.T) {
					t.Parallel()
					runDataFile(t, file, s, state)
				})
			}
		})
	}
}

// runDataFile asks everything twice: as the engine plans it, and with rollups wherever there are any.
func runDataFile(t *testing.T, file *dataFile, s *dataStore, state dataState) {
	t.Helper()
	p := s.newProject(t)
	state.reach(p, file)
	for how, engine := range map[string]*analysis.Engine{"": s.engine, " by rollups": s.eager} {
		for _, e := range file.evals {
			got, err := e.ask(t.Context(), engine, file, p.id)
			for _, complaint := range e.compare(got, err) {
				t.Errorf("%s:%s%s", file.name, complaint, how)
			}
		}
	}
}

// Without this, the second half of the tests above could silently be the first.
func TestEagerEngineAnswersByRollups(t *testing.T) {
	t.Parallel()
	file, err := parseDataFile("testdata/dense.test", 0)
	if err != nil {
		t.Fatal(err)
	}
	s := newDataStore(t)
	p := s.newProject(t)
	p.append(file.early)
	p.settle()
	r, _, _, err := file.evals[0].request(file, p.id)
	if err != nil {
		t.Fatal(err)
	}
	for engine, want := range map[*analysis.Engine]string{s.engine: "RAW", s.eager: "DAY"} {
		a, err := engine.Answer(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if a.Explain.Resolution != want {
			t.Errorf("the resolution is %s, want %s", a.Explain.Resolution, want)
		}
	}
}

// ask returns the table that the engine answers.
func (e *dataEval) ask(ctx context.Context, engine *analysis.Engine, file *dataFile, project int64) ([][]string, error) {
	if e.kind == "correlate" {
		return e.correlate(ctx, engine, file, project)
	}
	r, groups, keys, err := e.request(file, project)
	if err != nil {
		return nil, err
	}
	if len(groups) == 0 {
		return nil, nil
	}
	a, err := engine.Answer(ctx, r)
	if err != nil {
		return nil, err
	}
	if e.has("top") {
		by, _, err := stats.Named(e.one("top_by"))
		if err != nil {
			return nil, err
		}
		a.Top(r.Keep, by, e.has("ascending"))
	}
	if e.kind == "heatmap" {
		return e.heatmap(a)
	}
	return e.table(a, keys)
}

// request is what eval and heatmap ask for.
func (e *dataEval) request(file *dataFile, project int64) (r analysis.Request, groups [][]*dataSeries, keys []map[string]string, err error) {
	by := e.kind == "eval"
	r = analysis.Request{Now: file.now}
	if by {
		groups, keys = e.grouped(e.chosen(file.series))
	} else {
		groups = [][]*dataSeries{e.chosen(file.series)}
	}
	for _, g := range groups {
		r.Groups = append(r.Groups, dataMembers(project, g))
	}
	if r.From, r.To, err = e.bounds(); err != nil {
		return r, nil, nil, err
	}
	if r.Window, err = e.window(); err != nil {
		return r, nil, nil, err
	}
	if r.Need, err = e.need(); err != nil {
		return r, nil, nil, err
	}
	if e.has("compare") {
		if r.Shift, err = stats.ParsePeriod(e.one("compare")); err != nil {
			return r, nil, nil, err
		}
	}
	if e.has("top") {
		r.Keep, err = strconv.Atoi(e.one("top"))
	}
	return r, groups, keys, err
}

func dataMembers(project int64, series []*dataSeries) []analysis.Member {
	ms := make([]analysis.Member, len(series))
	for i, s := range series {
		ms[i] = analysis.Member{Project: project, Series: s.id, Labels: s.labels}
	}
	return ms
}

func (e *dataEval) bounds() (from, to *int64, err error) {
	for name, bound := range map[string]**int64{"from": &from, "to": &to} {
		if !e.has(name) {
			continue
		}
		at, err := dataTime(e.one(name))
		if err != nil {
			return nil, nil, err
		}
		us := at.UnixMicro()
		*bound = &us
	}
	return from, to, nil
}

func (e *dataEval) window() (w stats.Window, err error) {
	if e.kind == "heatmap" {
		w.Every = stats.Hour.Period()
	}
	if e.has("every") {
		if w.Every, err = stats.ParsePeriod(e.one("every")); err != nil {
			return w, err
		}
	}
	if e.has("calendar") {
		unit, err := stats.ParseUnit(e.one("calendar"))
		if err != nil {
			return w, err
		}
		w.Every = unit.Period()
	}
	if e.has("week") {
		if w.WeekStart, err = stats.ParseWeekday(e.one("week")); err != nil {
			return w, err
		}
	}
	w.FromRange = e.one("alignment") == "RANGE"
	if e.has("zone") {
		w.Zone, err = stats.LoadZone(e.one("zone"))
	}
	return w, err
}

// need returns what the columns, and the ranking, need.
func (e *dataEval) need() (need stats.Need, err error) {
	names := slices.Clone(e.columns)
	if e.has("top") {
		names = append(names, e.one("top_by"))
	}
	for _, name := range names {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "~"), "previous:")
		switch kind, _, _ := strings.Cut(name, ":"); {
		case e.places(name):
		case kind == "histogram":
			need = need.And(stats.Need{Values: true})
		default:
			_, more, err := stats.Named(name)
			if err != nil {
				return need, fmt.Errorf("%s: %w", name, err)
			}
			need = need.And(more)
		}
	}
	return need, nil
}

// places reports whether a column says where a row belongs.
func (e *dataEval) places(name string) bool {
	switch name {
	case "start", "end", "label", "filled", "exact", "device", "metric", "series", "day", "weekday", "hour":
		return true
	}
	return strings.HasPrefix(name, "label:")
}

// table shows the groups of an answer; keys are what those of the request have in common.
func (e *dataEval) table(a *analysis.Answer, keys []map[string]string) (rows [][]string, err error) {
	fill := stats.FillNone
	if e.has("fill") {
		if fill, err = stats.ParseFill(e.one("fill")); err != nil {
			return nil, err
		}
	}
	for i, g := range a.Groups {
		shown := []*analysis.Statistic{a.Total(i)}
		if !e.has("total") {
			shown = a.Statistics(i, fill)
		}
		for _, s := range shown {
			row := make([]string, len(e.columns))
			for c, column := range e.columns {
				if text, ok := keys[g.Place][column]; ok {
					row[c] = text
					continue
				}
				name, rough := strings.CutPrefix(column, "~")
				if row[c], err = e.cell(s, name); err != nil {
					return nil, err
				}
				if rough && !s.Exact() {
					row[c] = "~" + row[c]
				}
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// cell shows one column of a bucket.
func (e *dataEval) cell(s *analysis.Statistic, column string) (string, error) {
	name, argument, _ := strings.Cut(column, ":")
	switch name {
	case "start":
		return strconv.FormatInt(s.Start().UnixMicro(), 10), nil
	case "end":
		return strconv.FormatInt(s.End().UnixMicro(), 10), nil
	case "label":
		if s.Label() == nil {
			return "-", nil
		}
		return *s.Label(), nil
	case "filled":
		return strconv.FormatBool(s.Filled()), nil
	case "exact":
		return strconv.FormatBool(s.Exact()), nil
	case "previous":
		if s.Previous() == nil {
			return dataNone(argument), nil
		}
		return e.cell(s.Previous(), argument)
	case "histogram":
		return dataHistogram(s, argument)
	}
	return dataStatistic(s, name, argument)
}

// dataNone is what a bucket that is not there has of a statistic.
func dataNone(name string) string {
	if name == "count" {
		return "0"
	}
	return "null"
}

func dataHistogram(s *analysis.Statistic, argument string) (string, error) {
	var bins int
	var low, high float64
	if _, err := fmt.Sscanf(strings.ReplaceAll(argument, ":", " "), "%d %g %g", &bins, &low, &high); err != nil {
		return "", fmt.Errorf("histogram:BINS:LOW:HIGH: %w", err)
	}
	found, err := s.Histogram(&bins, &low, &high)
	counts := make([]string, len(found))
	for i, bin := range found {
		counts[i] = strconv.FormatInt(bin.Count, 10)
	}
	return cmp.Or(strings.Join(counts, ","), "none"), err
}

// dataStatistic shows a number of a bucket as those who ask for it by name or by method see it.
func dataStatistic(s *analysis.Statistic, name, argument string) (string, error) {
	methods := map[string]func() *float64{
		"sum": s.Sum, "mean": s.Mean, "min": s.Min, "max": s.Max, "range": s.Range, "first": s.First, "last": s.Last,
		"delta": s.Delta, "rate": s.Rate, "stddev": s.Stddev, "variance": s.Variance, "median": s.Median,
		"time_weighted_mean": s.TimeWeightedMean, "integral": s.Integral,
	}
	if method := methods[name]; method != nil {
		return dataNumber(method()), nil
	}
	switch name {
	case "count":
		return strconv.FormatInt(s.Count(), 10), nil
	case "distinct":
		return strconv.FormatInt(s.Distinct(argument), 10), nil
	case "completeness":
		every, err := stats.ParsePeriod(argument)
		return dataNumber(s.Completeness(every)), err
	}
	number := argument
	if argument == "" {
		number = strings.TrimPrefix(name, "p")
	}
	x, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return "", fmt.Errorf("there is no column %q", name)
	}
	switch name {
	case "above":
		return dataNumber(s.DurationAbove(x)), nil
	case "below":
		return dataNumber(s.DurationBelow(x)), nil
	}
	v, err := s.Quantile(x / 100)
	return dataNumber(v), err
}

func dataNumber(v *float64) string {
	if v == nil {
		return "null"
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

// heatmap shows the hours of the only group.
func (e *dataEval) heatmap(a *analysis.Answer) (rows [][]string, err error) {
	for _, cell := range stats.Heatmap(a.Groups[0].Buckets, a.Window.Zone, e.one("by") == "weekday") {
		row := make([]string, len(e.columns))
		for c, column := range e.columns {
			switch column {
			case "day":
				row[c] = cmp.Or(cell.Day, "none")
			case "weekday":
				row[c] = strings.ToLower(fmt.Sprint(cell.Weekday))
			case "hour":
				row[c] = strconv.Itoa(cell.Hour)
			default:
				if row[c], err = e.cell(analysis.NewStatistic(cell.Bucket), column); err != nil {
					return nil, err
				}
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (e *dataEval) correlate(ctx context.Context, engine *analysis.Engine, file *dataFile, project int64) (rows [][]string, err error) {
	from, to, err := e.bounds()
	if err != nil {
		return nil, err
	}
	w, err := e.window()
	if err != nil {
		return nil, err
	}
	step, err := stats.ParsePeriod(e.one("step"))
	if err != nil {
		return nil, err
	}
	var both []analysis.Member
	for _, metric := range []string{e.one("x"), e.one("y")} {
		for _, s := range file.series {
			if s.metric == metric {
				both = append(both, dataMembers(project, []*dataSeries{s})...)
			}
		}
	}
	if len(both) != 2 {
		return nil, fmt.Errorf("x and y are metrics of one series each")
	}
	found, _, err := engine.Correlate(ctx, both[0], both[1], from, to, w, step, file.now)
	for _, c := range found {
		rows = append(rows, []string{
			strconv.FormatInt(c.Start, 10), strconv.FormatInt(c.End, 10), strconv.Itoa(c.Pairs), dataNumber(c.R),
		})
	}
	return rows, err
}

// compare returns what is not as the file says, each with its line.
func (e *dataEval) compare(got [][]string, err error) (complaints []string) {
	if e.fault != nil || err != nil {
		return e.compareFault(err)
	}
	if len(got) != len(e.rows) {
		complaints = append(complaints, fmt.Sprintf("%d: %d rows, want %d: %v", e.line, len(got), len(e.rows), got))
	}
	for i := range min(len(got), len(e.rows)) {
		for c, want := range e.rows[i].cells {
			if !sameCell(e.columns[c], got[i][c], want) {
				complaints = append(complaints, fmt.Sprintf("%d: %s is %s, want %s", e.rows[i].line, e.columns[c], shownCell(e.columns[c], got[i][c]), want))
			}
		}
	}
	return complaints
}

func (e *dataEval) compareFault(err error) []string {
	var f *fault.Error
	switch {
	case e.fault == nil:
		return []string{fmt.Sprintf("%d: %v", e.line, err)}
	case err == nil:
		return []string{fmt.Sprintf("%d: no fault, want %s", e.line, e.fault[0])}
	case !errors.As(err, &f) || !strings.EqualFold(fmt.Sprint(f.Code), e.fault[0]) || !strings.Contains(f.Message, e.fault[1]):
		return []string{fmt.Sprintf("%d: the fault is %v, want %s with %q", e.line, err, e.fault[0], e.fault[1])}
	}
	return nil
}

func sameCell(column, got, want string) bool {
	if got == want {
		return true
	}
	if column == "start" || column == "end" {
		at, err := dataTime(want)
		return err == nil && got == strconv.FormatInt(at.UnixMicro(), 10)
	}
	got, rough := strings.CutPrefix(got, "~")
	tolerance := 1e-10
	if rough {
		tolerance = stats.Accuracy
	}
	x, errX := strconv.ParseFloat(got, 64)
	y, errY := strconv.ParseFloat(want, 64)
	// What is 0 by pencil may be off by the rounding of numbers around 1.
	return errX == nil && errY == nil && math.Abs(x-y) <= max(tolerance*math.Abs(y), 1e-12)
}

// shownCell is a cell as a file would show it.
func shownCell(column, text string) string {
	if us, err := strconv.ParseInt(text, 10, 64); err == nil && (column == "start" || column == "end") {
		return time.UnixMicro(us).UTC().Format(time.RFC3339Nano)
	}
	return text
}
