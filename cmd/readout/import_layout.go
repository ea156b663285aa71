package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// importLayout finds the readings in a line.
type importLayout interface {
	// cells appends the places of a line where values stand to dst, and returns them with the time of the line, all as
	// they are written. What is wrong with the line is said in what.
	cells(dst []importCell, line []byte) (cells []importCell, time []byte, what string)
}

// importCell is a place of a line where a value may stand.
type importCell struct {
	series *importSeries
	value  []byte // empty: none
}

// importLong is the layout of an export: one reading a line.
type importLong struct {
	known                        *importKnown
	device, metric, labels, unit int // columns, counted from 0; -1 where there is none
	time, value, columns         int
	tail                         bool // time and value are the last two columns
	fields                       [][]byte
	key                          []byte
}

// newImportLong reads the header of a file with one reading a line.
func newImportLong(name string, header [][]byte, known *importKnown) (*importLong, error) {
	l := &importLong{known: known, columns: len(header)}
	places := map[string]*int{
		"device": &l.device, "metric": &l.metric, "labels": &l.labels, "unit": &l.unit, "time": &l.time, "value": &l.value,
	}
	for _, place := range places {
		*place = -1
	}
	for i, field := range header {
		column := string(bytes.TrimSpace(field))
		place, ok := places[column]
		switch {
		case !ok:
			return nil, fault.New(fault.Invalid, "%s: the column %s is none of device, metric, labels, unit, time and value; for a file with a column for each metric name its --device",
				name, quoted(column))
		case *place >= 0:
			return nil, fault.New(fault.Invalid, "%s: the column %s is there twice", name, column)
		}
		*place = i
	}
	for _, needed := range []string{"device", "metric", "time", "value"} {
		if *places[needed] < 0 {
			return nil, fault.New(fault.Invalid, "%s: the first line has no column %s; it has %s", name, needed,
				excerpt(string(bytes.Join(header, []byte(", "))), 200))
		}
	}
	l.tail = l.time == len(header)-2 && l.value == len(header)-1
	return l, nil
}

func (l *importLong) cells(dst []importCell, line []byte) (cells []importCell, time []byte, what string) {
	if key, time, value, ok := l.cut(line); ok {
		if s := l.known.find(key); s != nil {
			return append(dst, importCell{s, value}), time, ""
		}
	}
	if l.fields, what = splitFields(l.fields[:0], line); what != "" {
		return nil, nil, what
	}
	if len(l.fields) != l.columns {
		return nil, nil, fmt.Sprintf("has %d columns, and the header has %d", len(l.fields), l.columns)
	}
	key, _, _, ok := l.cut(line)
	if !ok {
		key = l.join()
	}
	s := l.known.find(key)
	if s == nil {
		if s, what = l.series(key); what != "" {
			return nil, nil, what
		}
	}
	return append(dst, importCell{s, l.fields[l.value]}), l.fields[l.time], ""
}

// cut takes a line apart without looking at all of it: the last two columns are the time and the value, and what
// precedes them is the series, known or not. It does not where one of the two is in quotes.
func (l *importLong) cut(line []byte) (key, time, value []byte, ok bool) {
	if !l.tail {
		return nil, nil, nil, false
	}
	second := bytes.LastIndexByte(line, ',')
	if second <= 0 {
		return nil, nil, nil, false
	}
	first := bytes.LastIndexByte(line[:second], ',')
	if first <= 0 || bytes.IndexByte(line[first:], '"') >= 0 {
		return nil, nil, nil, false
	}
	return line[:first], line[first+1 : second], line[second+1:], true
}

// join makes a key of the fields that name the series. No line is a key and such a one at once: of a line there are
// commas, of these line ends.
func (l *importLong) join() []byte {
	l.key = l.key[:0]
	for _, column := range []int{l.device, l.metric, l.labels, l.unit} {
		if column >= 0 {
			l.key = append(l.key, l.fields[column]...)
		}
		l.key = append(l.key, '\n')
	}
	return l.key
}

// series returns the series that the fields name.
func (l *importLong) series(key []byte) (s *importSeries, what string) {
	text := func(column int) string {
		if column < 0 {
			return ""
		}
		return string(bytes.TrimSpace(l.fields[column]))
	}
	labels, what := parseImportLabels(text(l.labels))
	if what != "" {
		return nil, what
	}
	return l.known.add(key, reading.Series{Device: text(l.device), Metric: text(l.metric), Labels: labels, Unit: text(l.unit)})
}

// parseImportLabels reads a JSON object of strings; an empty field is no labels.
func parseImportLabels(text string) (labels reading.Labels, what string) {
	if text == "" || text == string(reading.NoLabels) {
		return reading.NoLabels, ""
	}
	var m map[string]*string // null is no text
	err := json.Unmarshal([]byte(text), &m)
	plain := make(map[string]string, len(m))
	for k, v := range m {
		if v == nil {
			return "", fmt.Sprintf("the label %s is not a string", quoted(k))
		}
		plain[k] = *v
	}
	if err != nil || m == nil {
		return "", fmt.Sprintf("the labels %s are not a JSON object of strings", quoted(text))
	}
	if labels, err = reading.NewLabels(plain); err != nil {
		return "", fault.Of(err).Message
	}
	return labels, ""
}

// importWide is the layout with one time a line, and a column for each metric.
type importWide struct {
	time    int
	columns []*importSeries // nil: the time, or a column that is not taken
	fields  [][]byte
}

// newImportWide reads the header of a wide file.
func newImportWide(c *importCmd, name string, header [][]byte, known *importKnown) (*importWide, error) {
	l := &importWide{time: -1, columns: make([]*importSeries, len(header))}
	names := make([]string, len(header))
	for i, field := range header {
		names[i] = string(bytes.TrimSpace(field))
	}
	if n, err := strconv.Atoi(c.TimeColumn); err == nil {
		l.time = n - 1
	} else {
		l.time = slices.Index(names, c.TimeColumn)
	}
	has := excerpt(strings.Join(names, ", "), 200)
	if l.time < 0 || l.time >= len(names) {
		return nil, fault.New(fault.Invalid, "--time-column: the first line of %s has no column %s; it has %s", name, c.TimeColumn, has)
	}
	labels, err := reading.NewLabels(c.Label)
	if err != nil {
		return nil, err
	}
	for i, metric := range names {
		if i == l.time || len(c.Column) > 0 && !slices.Contains(c.Column, metric) {
			continue
		}
		if slices.Index(names, metric) != i {
			return nil, fault.New(fault.Invalid, "%s: the column %s is there twice", name, quoted(metric))
		}
		s, what := known.add([]byte(metric), reading.Series{Device: c.Device, Metric: metric, Labels: labels, Unit: c.Unit[metric]})
		if what != "" {
			return nil, fault.New(fault.Invalid, "%s: the column %s is no metric: %s", name, quoted(metric), what)
		}
		l.columns[i] = s
	}
	for _, metric := range c.Column {
		if !slices.Contains(names, metric) {
			return nil, fault.New(fault.Invalid, "--column: the first line of %s has no column %s; it has %s", name, quoted(metric), has)
		}
	}
	for metric := range c.Unit {
		if !slices.Contains(names, metric) {
			return nil, fault.New(fault.Invalid, "--unit: the first line of %s has no column %s; it has %s", name, quoted(metric), has)
		}
	}
	return l, nil
}

func (l *importWide) cells(dst []importCell, line []byte) (cells []importCell, time []byte, what string) {
	if l.fields, what = splitFields(l.fields[:0], line); what != "" {
		return nil, nil, what
	}
	if len(l.fields) != len(l.columns) {
		return nil, nil, fmt.Sprintf("has %d columns, and the header has %d", len(l.fields), len(l.columns))
	}
	for i, s := range l.columns {
		if s != nil {
			dst = append(dst, importCell{s, l.fields[i]})
		}
	}
	return dst, l.fields[l.time], ""
}
