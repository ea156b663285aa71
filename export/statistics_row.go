package export

import (
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/stats"
)

// statisticsRows writes buckets as rows of text: CSV with a head, or one JSON object a line. A column is a group's key, a
// bucket's place, a statistic, that of the bucket it is compared with, or whether all of these are exact.
type statisticsRows struct {
	format   format
	groups   []string // the columns of the group
	columns  []column
	compared bool
	keys     [][]byte // NDJSON: what stands before each value, by column
	before   []byte   // a row up to its bucket
	buf      []byte
	clock    clock
	at       int // the column that is next
}

func newStatisticsRows(q statisticsQuery) *statisticsRows {
	r := &statisticsRows{format: q.format, groups: groupColumns(q.groupBy), columns: q.columns, compared: q.compareTo != stats.Period{}}
	for i, name := range r.names() {
		open := ","
		if i == 0 {
			open = "{"
		}
		r.keys = append(r.keys, append(appendText([]byte(open), name), ':'))
	}
	return r
}

// names returns the names of all columns.
func (r *statisticsRows) names() []string {
	names := append(append([]string{}, r.groups...), "start", "end", "label")
	for _, c := range r.columns {
		names = append(names, c.name)
	}
	if r.compared {
		for _, c := range r.columns {
			names = append(names, "previous_"+c.name)
		}
	}
	return append(names, "exact")
}

// head returns what precedes all rows.
func (r *statisticsRows) head() []byte {
	if r.format != formatCSV {
		return nil
	}
	var b []byte
	for i, name := range r.names() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTextField(b, name)
	}
	return append(b, '\n')
}

// of says whose buckets are next.
func (r *statisticsRows) of(cells []cell) {
	r.at, r.before = 0, r.before[:0]
	for _, c := range cells {
		r.before = r.appendCell(r.before, c)
	}
}

// append returns the row of a bucket of the group that of named, until it is called again.
func (r *statisticsRows) append(s *analysis.Statistic) []byte {
	b := append(r.buf[:0], r.before...)
	r.at = len(r.groups)
	b = r.appendTime(b, s.Start())
	b = r.appendTime(b, s.End())
	label := cell{}
	if text := s.Label(); text != nil {
		label = cell{*text, true}
	}
	b = r.appendCell(b, label)
	b = r.appendStatistics(b, s)
	before := s.Previous()
	if r.compared {
		b = r.appendStatistics(b, before)
	}
	b = strconv.AppendBool(r.next(b), s.Exact() && (before == nil || before.Exact()))
	if r.format != formatCSV {
		b = append(b, '}')
	}
	r.buf = append(b, '\n')
	return r.buf
}

// next begins the next column.
func (r *statisticsRows) next(b []byte) []byte {
	switch {
	case r.format != formatCSV:
		b = append(b, r.keys[r.at]...)
	case r.at > 0:
		b = append(b, ',')
	}
	r.at++
	return b
}

func (r *statisticsRows) appendStatistics(b []byte, s *analysis.Statistic) []byte {
	for _, c := range r.columns {
		var v *float64
		if s != nil {
			v = c.of(s)
		}
		switch b = r.next(b); {
		case v != nil:
			b = appendValue(b, *v)
		case r.format != formatCSV:
			b = append(b, "null"...)
		}
	}
	return b
}

func (r *statisticsRows) appendTime(b []byte, at time.Time) []byte {
	b = r.next(b)
	if r.format == formatCSV {
		return r.clock.append(b, at.UnixMicro())
	}
	return append(r.clock.append(append(b, '"'), at.UnixMicro()), '"')
}

func (r *statisticsRows) appendCell(b []byte, c cell) []byte {
	b = r.next(b)
	switch {
	case r.format == formatCSV:
		return appendTextField(b, c.text)
	case !c.there:
		return append(b, "null"...)
	}
	return appendText(b, c.text)
}

// appendTextField appends a field of CSV that no spreadsheet takes for a formula: whatever begins as one does gets a leading
// apostrophe (OWASP, "CSV Injection").
func appendTextField(b []byte, text string) []byte {
	if text != "" && strings.IndexByte("=+-@\t\r", text[0]) >= 0 {
		text = "'" + text
	}
	return appendField(b, text)
}
