package export

import (
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// format is how rows are written.
type format uint8

const (
	formatCSV format = iota
	formatNDJSON
)

// media is the content type of an answer.
func (f format) media() string {
	if f == formatNDJSON {
		return "application/x-ndjson"
	}
	return "text/csv; charset=utf-8; header=present"
}

// ending is that of the name under which a browser keeps the answer.
func (f format) ending() string {
	if f == formatNDJSON {
		return ".ndjson"
	}
	return ".csv"
}

// query is what a request asks for.
type query struct {
	project  int64 // 0: not said
	series   []int64
	metrics  []string
	devices  []string
	from, to int64 // µs, half open
	format   format
	formed   bool // the format is said
}

// maxNames is how many series, metrics and devices a request may name; all are far more than a URL holds.
const maxNames = 1000

// parse reads a request. What it does not know it refuses: a misspelt filter would export everything.
func parse(r *http.Request, now time.Time) (query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return query{}, fault.New(fault.BadRequest, "the query of the URL is not well formed")
	}
	return parseValues(values, r.Header.Values("Accept"), now)
}

// parseValues reads the values of a URL and, where they name no format, the headers Accept.
func parseValues(values url.Values, accept []string, now time.Time) (q query, err error) {
	q = query{from: 0, to: math.MaxInt64}
	for name, given := range values {
		if err := q.take(name, given, now); err != nil {
			return q, err
		}
	}
	if q.from > q.to {
		return q, fault.New(fault.Invalid, "the range ends before it starts")
	}
	if !q.formed {
		q.format, err = accepted(accept)
	}
	return q, err
}

func (q *query) take(name string, given []string, now time.Time) (err error) {
	if several := name == "series" || name == "metric" || name == "device"; len(given) > 1 && !several {
		return fault.New(fault.BadRequest, "%s is given twice", name)
	}
	if len(given) > maxNames {
		return fault.New(fault.Invalid, "%s is given more than %d times", name, maxNames)
	}
	switch name {
	case "series":
		for _, text := range given {
			q.series = append(q.series, id(text))
		}
		slices.Sort(q.series)
		q.series = slices.Compact(q.series)
	case "metric":
		q.metrics = given
	case "device":
		q.devices = given
	case "project":
		q.project = id(given[0])
	case "from":
		q.from, err = instant(given[0], now)
	case "to":
		q.to, err = instant(given[0], now)
	case "format":
		q.formed = true
		switch given[0] {
		case "csv":
			q.format = formatCSV
		case "ndjson":
			q.format = formatNDJSON
		default:
			return fault.New(fault.BadRequest, "format is csv or ndjson")
		}
	default:
		return fault.New(fault.BadRequest, "the query takes series, metric, device, project, from, to and format")
	}
	return err
}

// id reads an id; text that no id has becomes one that nothing has.
func id(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return -1
	}
	return n
}

// instant reads a time in microseconds: RFC 3339 with a zone, "now", or before now as GraphQL takes it, "-24h".
func instant(text string, now time.Time) (int64, error) {
	if text == "now" {
		return now.UnixMicro(), nil
	}
	if at, ok := relative(text, now); ok {
		return max(at.UnixMicro(), 0), nil
	}
	// An unescaped + in a URL is a space: the only one that a time can hold stands for the zone's sign.
	at, err := time.Parse(time.RFC3339Nano, strings.Replace(text, " ", "+", 1))
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return 0, fault.New(fault.TimeInvalid, `from and to are RFC 3339 with a zone, from 1970 on, "now", or before now such as "-24h" or "-30d"`)
	}
	return at.UnixMicro(), nil
}

// relative reads a number of seconds (s), minutes (m), hours (h), days of 24 hours (d) or weeks (w) before now.
func relative(text string, now time.Time) (time.Time, bool) {
	if len(text) < 3 || text[0] != '-' {
		return time.Time{}, false
	}
	var unit time.Duration
	switch text[len(text)-1] {
	case 's':
		unit = time.Second
	case 'm':
		unit = time.Minute
	case 'h':
		unit = time.Hour
	case 'd':
		unit = 24 * time.Hour
	case 'w':
		unit = 7 * 24 * time.Hour
	}
	n, err := strconv.ParseUint(text[1:len(text)-1], 10, 63)
	if err != nil || unit == 0 || n > uint64(math.MaxInt64/int64(unit)) {
		return time.Time{}, false
	}
	return now.Add(-time.Duration(n) * unit), true
}

// accepted returns the format that the headers Accept (RFC 9110, 12.5.1) prefer; CSV when they leave the choice.
func accepted(headers []string) (format, error) {
	best, choice := 0.0, formatCSV
	choose := true
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		choose = false
		media, params, err := mime.ParseMediaType(part)
		quality := 1.0
		if text, given := params["q"]; err == nil && given {
			quality, err = strconv.ParseFloat(text, 64)
		}
		if err != nil || quality <= best {
			continue
		}
		switch media {
		case "text/csv", "text/*", "*/*":
			best, choice = quality, formatCSV
		case "application/x-ndjson", "application/ndjson", "application/*":
			best, choice = quality, formatNDJSON
		}
	}
	if !choose && best == 0 {
		return 0, fault.New(fault.NotAcceptable, "an export is text/csv or application/x-ndjson")
	}
	return choice, nil
}
