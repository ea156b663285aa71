package export

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/reading"
)

// rows writes readings as rows of text: CSV (RFC 4180, but lines end in LF) with the columns of csvHead, or one JSON
// object a line that POST /v1/readings takes back. What a series' rows have in common is made once.
type rows struct {
	format format
	before []byte // a row up to its time
	buf    []byte
	clock  clock
}

// csvHead is the first line of CSV.
const csvHead = "device,metric,labels,unit,time,value\n"

func newRows(f format) *rows { return &rows{format: f} }

// head returns what precedes all rows.
func (r *rows) head() []byte {
	if r.format == formatCSV {
		return []byte(csvHead)
	}
	return nil
}

// of says whose readings are next.
func (r *rows) of(s *db.Series) {
	labels := labelsText(s)
	if r.format == formatCSV {
		r.before = r.before[:0]
		for _, text := range []string{s.Edges.Device.Name, s.Metric, labels, s.Unit} {
			r.before = append(appendField(r.before, text), ',')
		}
		return
	}
	r.before = appendText(append(r.before[:0], `{"device":`...), s.Edges.Device.Name)
	r.before = appendText(append(r.before, `,"metric":`...), s.Metric)
	if len(s.Labels) > 0 {
		r.before = append(append(r.before, `,"labels":`...), labels...)
	}
	if s.Unit != "" {
		r.before = appendText(append(r.before, `,"unit":`...), s.Unit)
	}
	r.before = append(r.before, `,"time":"`...)
}

// labelsText returns the labels of a series as a JSON object with sorted keys.
func labelsText(s *db.Series) string {
	if text, err := reading.NewLabels(s.Labels); err == nil {
		return string(text)
	}
	text, err := json.Marshal(s.Labels) // written by somebody else, say in SQL
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

// append returns the rows of readings of the series that of named, until it is called again.
func (r *rows) append(rs []reading.Reading) []byte {
	between, after := `","value":`, "}\n"
	if r.format == formatCSV {
		between, after = ",", "\n"
	}
	b := r.buf[:0]
	for _, v := range rs {
		b = append(b, r.before...)
		b = r.clock.append(b, v.Time)
		b = append(b, between...)
		b = appendValue(b, v.Value)
		b = append(b, after...)
	}
	r.buf = b
	return b
}

// appendField appends a field of CSV, quoted where it must be.
func appendField(b []byte, text string) []byte {
	if !strings.ContainsAny(text, "\",\r\n") {
		return append(b, text...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(text, `"`, `""`)...)
	return append(b, '"')
}

// appendText appends a JSON string of text without control characters, which no name has.
func appendText(b []byte, text string) []byte {
	b = append(b, '"')
	for i := range len(text) {
		if c := text[i]; c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, text[i])
	}
	return append(b, '"')
}

// appendValue appends the shortest decimal number that is v, with an exponent where JSON's writers use one.
func appendValue(b []byte, v float64) []byte {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}
