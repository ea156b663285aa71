package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// replayRow is one line of a file.
type replayRow struct {
	time    int64 // microseconds since 1970-01-01 UTC
	value   float64
	missing bool  // there is no value
	line    int   // counted from 1
	end     int64 // bytes of the file up to its end
}

// replayLineError is what is wrong with a line of a file.
type replayLineError struct {
	file string
	line int
	what string
}

func (e *replayLineError) Error() string {
	return fmt.Sprintf("%s, line %d: %s", e.file, e.line, e.what)
}

// replayRows reads a CSV file (RFC 4180; lines may end in LF, records may differ in length) row by row.
type replayRows struct {
	csv         *csv.Reader
	name        string
	times       *replayTimes
	timeColumn  string // name, or number counted from 1
	valueColumn string
	time, value int // the columns, counted from 0, once the first line is read
	begun       bool
}

func newReplayRows(r io.Reader, name string, times *replayTimes, timeColumn, valueColumn string) *replayRows {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	return &replayRows{csv: c, name: name, times: times, timeColumn: timeColumn, valueColumn: valueColumn}
}

// next returns the next row, or io.EOF. A row that is wrong is a *replayLineError.
func (r *replayRows) next() (replayRow, error) {
	record, err := r.read()
	if err != nil {
		return replayRow{}, err
	}
	if !r.begun {
		r.begun = true
		header, err := r.begin(record)
		if err != nil {
			return replayRow{}, err
		}
		if header {
			return r.next()
		}
	}
	return r.row(record)
}

func (r *replayRows) read() ([]string, error) {
	record, err := r.csv.Read()
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		return nil, &replayLineError{r.name, bad.Line, "is not well-formed CSV: " + bad.Err.Error()}
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", r.name, err)
	}
	return record, nil
}

// begin finds the columns from the first line and says whether that is a header: it is when columns go by name, and
// else when there is no time in it. An integer is no name, so one that is wrong is an error.
func (r *replayRows) begin(record []string) (header bool, err error) {
	var timeNamed, valueNamed bool
	if r.time, timeNamed, err = r.column("--time-column", r.timeColumn, record); err != nil {
		return false, err
	}
	if r.value, valueNamed, err = r.column("--value-column", r.valueColumn, record); err != nil {
		return false, err
	}
	if timeNamed || valueNamed || r.time >= len(record) {
		return true, nil
	}
	probe := *r.times // the line is read again if it is no header
	_, what := probe.parse(strings.TrimSpace(record[r.time]))
	return what != "" && !isInteger(strings.TrimSpace(record[r.time])), nil
}

// column returns the place of a column that goes by number or by its name in the header.
func (r *replayRows) column(flag, column string, header []string) (place int, named bool, err error) {
	if n, err := strconv.Atoi(column); err == nil {
		return n - 1, false, nil
	}
	for i, name := range header {
		if strings.TrimSpace(name) == column {
			return i, true, nil
		}
	}
	return 0, false, fault.New(fault.Invalid, "%s: the first line of %s has no column %q; it has %s", flag, r.name, column, excerpt(strings.Join(header, ", "), 200))
}

// checkReplayColumn refuses what is neither a name nor a number from 1.
func checkReplayColumn(flag, column string) error {
	if n, err := strconv.Atoi(column); column == "" || err == nil && n < 1 {
		return fault.New(fault.Invalid, "%s must be a column's name or its number, counted from 1", flag)
	}
	return nil
}

func (r *replayRows) row(record []string) (replayRow, error) {
	line, _ := r.csv.FieldPos(0)
	row := replayRow{line: line, end: r.csv.InputOffset()}
	wrong := func(format string, args ...any) (replayRow, error) {
		return replayRow{}, &replayLineError{r.name, line, fmt.Sprintf(format, args...)}
	}
	if most := max(r.time, r.value); most >= len(record) {
		return wrong("has %d columns, and --time-column and --value-column want column %d (columns are separated by commas)", len(record), most+1)
	}
	var what string
	if row.time, what = r.times.parse(strings.TrimSpace(record[r.time])); what != "" {
		return wrong("%s", what)
	}
	if err := reading.CheckTime(row.time, time.Now().UnixMicro()); err != nil {
		return wrong("%s; integers are taken in the unit of --precision", fault.Of(err).Message)
	}
	text := strings.TrimSpace(record[r.value])
	if text == "" {
		row.missing = true
		return row, nil
	}
	if row.value, what = parseReplayValue(text); what != "" {
		return wrong("%s", what)
	}
	return row, nil
}

// parseReplayValue reads a decimal number. Anything else, such as NaN, 0x10 or 1_000, and what a float64 cannot hold is
// wrong, and what says why.
func parseReplayValue(text string) (v float64, what string) {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default:
			return 0, fmt.Sprintf("the value %s is not a decimal number", quoted(text))
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Sprintf("the value %s is too large for a float64", quoted(text))
	case err != nil:
		return 0, fmt.Sprintf("the value %s is not a decimal number", quoted(text))
	case v == 0 && hasDigits(text):
		return 0, fmt.Sprintf("the value %s is too small for a float64", quoted(text))
	}
	return v, ""
}

// hasDigits tells whether a number that reads as 0 was written with other digits: such a one is no 0.
func hasDigits(text string) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	return strings.ContainsAny(mantissa, "123456789")
}

// quoted returns the text as it can be shown: short, and without control characters.
func quoted(text string) string { return strconv.Quote(excerpt(text, 40)) }

func excerpt(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
