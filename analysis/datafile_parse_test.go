package analysis_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/reading"
)

// dataFile is a file of testdata, parsed. datafile_test.go says how one is written.
type dataFile struct {
	name   string
	now    time.Time
	series []*dataSeries
	early  []reading.Reading
	late   []dataChange // in their order
	evals  []*dataEval
}

// dataSeries is a series that a file loads.
type dataSeries struct {
	id             int64
	device, metric string
	labels         map[string]string
}

// dataChange is what happens when the store has reached its state: readings come, or some are deleted.
type dataChange struct {
	readings []reading.Reading
	deletion *reading.Deletion
}

// dataEval is one request and the table that it is to answer.
type dataEval struct {
	line    int
	kind    string // eval, heatmap or correlate
	options map[string][]string
	columns []string
	rows    []dataRow
	fault   []string // the code and a part of the message, in place of a table
}

type dataRow struct {
	line  int
	cells []string
}

// dataNow is what time it is unless a file says otherwise, and when days are settled.
var dataNow = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// dataParser reads one file. Indented lines belong to the statement above them.
type dataParser struct {
	file   *dataFile
	base   int64 // of the ids of series
	byName map[string]*dataSeries
	take   func(words []string) error // takes an indented line; nil: none may come
	line   int
}

// parseDataFile reads a file; its series have ids behind base.
func parseDataFile(name string, base int64) (*dataFile, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	p := &dataParser{
		file:   &dataFile{name: name, now: dataNow},
		base:   base,
		byName: map[string]*dataSeries{},
	}
	for line := range strings.Lines(string(text)) {
		p.line++
		if before, _, comment := strings.Cut(line, "#"); comment {
			line = before
		}
		if err := p.parse(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, p.line, err)
		}
	}
	for _, e := range p.file.evals {
		if len(e.columns) == 0 && e.fault == nil {
			return nil, fmt.Errorf("%s:%d: a table or a fault is missing", name, e.line)
		}
	}
	return p.file, nil
}

func (p *dataParser) parse(line string) error {
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
		return nil
	case line[0] != ' ' && line[0] != '\t':
		p.take = nil
		return p.statement(words[0], words[1:])
	case p.take == nil:
		return fmt.Errorf("this line belongs to no statement")
	}
	return p.take(words)
}

func (p *dataParser) statement(name string, args []string) (err error) {
	switch name {
	case "now":
		return p.now(args)
	case "load":
		return p.load(args, func(rs []reading.Reading) { p.file.early = append(p.file.early, rs...) })
	case "late":
		return p.load(args, func(rs []reading.Reading) { p.file.late = append(p.file.late, dataChange{readings: rs}) })
	case "delete":
		return p.delete(args)
	case "eval", "heatmap", "correlate":
		return p.eval(name, args)
	}
	return fmt.Errorf("%q is none of now, load, late, delete, eval, heatmap, correlate", name)
}

func (p *dataParser) now(args []string) (err error) {
	if len(args) != 1 {
		return fmt.Errorf("now TIME")
	}
	p.file.now, err = dataTime(args[0])
	return err
}

// load takes the lines "TIME [+STEP] VALUES…".
func (p *dataParser) load(args []string, add func([]reading.Reading)) error {
	s, rest, err := p.named(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("a label is KEY=VALUE, not %q", rest[0])
	}
	p.take = func(words []string) error {
		rs, err := dataReadings(s.id, words)
		add(rs)
		return err
	}
	return nil
}

// delete takes "DEVICE METRIC [LABEL=VALUE…] FROM TO".
func (p *dataParser) delete(args []string) error {
	s, rest, err := p.named(args)
	if err != nil {
		return err
	}
	if len(rest) != 2 {
		return fmt.Errorf("delete DEVICE METRIC [LABEL=VALUE…] FROM TO")
	}
	from, err := dataTime(rest[0])
	if err != nil {
		return err
	}
	to, err := dataTime(rest[1])
	if err != nil {
		return err
	}
	p.file.late = append(p.file.late, dataChange{deletion: &reading.Deletion{Series: s.id, From: from.UnixMicro(), To: to.UnixMicro()}})
	return nil
}

// named finds the series that a statement begins with, or makes it; rest are the words behind it.
func (p *dataParser) named(args []string) (s *dataSeries, rest []string, err error) {
	if len(args) < 2 {
		return nil, nil, fmt.Errorf("a series is DEVICE METRIC [LABEL=VALUE…]")
	}
	s = &dataSeries{id: p.base + int64(len(p.file.series)+1), device: args[0], metric: args[1], labels: map[string]string{}}
	for rest = args[2:]; len(rest) > 0; rest = rest[1:] {
		key, value, ok := strings.Cut(rest[0], "=")
		if !ok {
			break
		}
		s.labels[key] = value
	}
	name := fmt.Sprint(s.device, " ", s.metric, " ", s.labels)
	if known := p.byName[name]; known != nil {
		return known, rest, nil
	}
	p.byName[name] = s
	p.file.series = append(p.file.series, s)
	return s, rest, nil
}

// eval takes the head of a table and its rows, or "fault CODE TEXT…".
func (p *dataParser) eval(kind string, args []string) error {
	e := &dataEval{line: p.line, kind: kind, options: map[string][]string{}}
	p.file.evals = append(p.file.evals, e)
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		if !slices.Contains(dataOptions, key) {
			return fmt.Errorf("%q is none of %s", key, strings.Join(dataOptions, ", "))
		}
		e.options[key] = append(e.options[key], value)
	}
	p.take = func(words []string) error {
		switch {
		case words[0] == "fault" && len(e.columns) == 0:
			e.fault = []string{words[1], strings.Join(words[2:], " ")}
		case len(e.columns) == 0:
			e.columns = words
		case len(words) != len(e.columns):
			return fmt.Errorf("%d cells under %d columns", len(words), len(e.columns))
		default:
			e.rows = append(e.rows, dataRow{p.line, words})
		}
		return nil
	}
	return nil
}

// dataOptions are the options of eval, heatmap and correlate.
var dataOptions = []string{
	"device", "metric", "label", "from", "to", "every", "calendar", "zone", "alignment", "week", "fill", "by",
	"compare", "top", "top_by", "ascending", "total", "rows", "x", "y", "step",
}

// one returns the only value of an option, "" where it is left out.
func (e *dataEval) one(name string) string {
	if vs := e.options[name]; len(vs) > 0 {
		return vs[len(vs)-1]
	}
	return ""
}

func (e *dataEval) has(name string) bool { return e.options[name] != nil }

// chosen returns the series that the options device, metric and label leave.
func (e *dataEval) chosen(all []*dataSeries) (left []*dataSeries) {
	for _, s := range all {
		fits := (!e.has("device") || slices.Contains(e.options["device"], s.device)) &&
			(!e.has("metric") || slices.Contains(e.options["metric"], s.metric))
		for _, label := range e.options["label"] {
			key, value, _ := strings.Cut(label, ":")
			fits = fits && s.labels[key] == value
		}
		if fits {
			left = append(left, s)
		}
	}
	return left
}

// grouped divides series by the option by, in the order of the series; keys are what each group has in common.
func (e *dataEval) grouped(series []*dataSeries) (groups [][]*dataSeries, keys []map[string]string) {
	var by []string
	if e.has("by") {
		by = strings.Split(e.one("by"), ",")
	}
	for _, s := range series {
		key := map[string]string{}
		for _, name := range by {
			key[name] = s.text(name)
		}
		at := slices.IndexFunc(keys, func(k map[string]string) bool { return maps.Equal(k, key) })
		if at < 0 {
			at = len(keys)
			keys, groups = append(keys, key), append(groups, nil)
		}
		groups[at] = append(groups[at], s)
	}
	if len(by) == 0 && len(groups) == 0 {
		return [][]*dataSeries{nil}, []map[string]string{{}}
	}
	return groups, keys
}

// text returns what a group by name has in common.
func (s *dataSeries) text(name string) string {
	switch name {
	case "device":
		return s.device
	case "metric":
		return s.metric
	case "series":
		return strconv.FormatInt(s.id, 10)
	}
	value, ok := s.labels[strings.TrimPrefix(name, "label:")]
	if !ok {
		return "null"
	}
	return value
}

// dataTime reads RFC 3339, whose seconds may be left out.
func dataTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-03-29T01:00Z", text)
}

// dataReadings reads "TIME [+STEP] VALUES…".
func dataReadings(series int64, words []string) ([]reading.Reading, error) {
	at, err := dataTime(words[0])
	if err != nil {
		return nil, err
	}
	step := time.Duration(0)
	values := words[1:]
	if len(values) > 1 && values[0][0] == '+' && strings.IndexAny(values[0], "hms") > 0 {
		if step, err = time.ParseDuration(values[0][1:]); err != nil {
			return nil, err
		}
		values = values[1:]
	}
	var rs []reading.Reading
	n := 0
	for _, word := range values {
		first, rise, times, missing, err := dataValues(word)
		if err != nil {
			return nil, err
		}
		for i := range times {
			if !missing {
				rs = append(rs, reading.Reading{Series: series, Time: at.Add(time.Duration(n) * step).UnixMicro(), Value: first + float64(float64(i)*rise)})
			}
			n++
		}
	}
	if n == 0 || n > 1 && step == 0 {
		return nil, fmt.Errorf("a line of readings is TIME VALUE or TIME +STEP VALUE…")
	}
	return rs, nil
}

// dataValues reads "V", "VxN", "V+RxN", "V-RxN", "_" and "_xN".
func dataValues(word string) (first, rise float64, times int, missing bool, err error) {
	word, count, repeated := strings.Cut(word, "x")
	times = 1
	if repeated {
		if times, err = strconv.Atoi(count); err != nil || times < 1 {
			return 0, 0, 0, false, fmt.Errorf("how often is %q?", count)
		}
	}
	if word == "_" {
		return 0, 0, times, true, nil
	}
	if at := strings.LastIndexAny(word, "+-"); repeated && at > 0 && word[at-1] != 'e' {
		if rise, err = strconv.ParseFloat(word[at:], 64); err != nil {
			return 0, 0, 0, false, err
		}
		word = word[:at]
	}
	first, err = strconv.ParseFloat(word, 64)
	return first, rise, times, false, err
}
