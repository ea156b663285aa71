package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/readout-dev/readout/reading"
)

// sent is a reading with its series written out.
type sent struct {
	reading.Series
	time  int64
	value float64
}

func sentOf(b *reading.Batch) []sent {
	all := []sent{}
	for _, r := range b.Readings {
		all = append(all, sent{b.Series[r.Series], r.Time, r.Value})
	}
	return all
}

var errReference = errors.New("refused")

// reference decodes a body as Decoder does, slowly and with encoding/json for everything but the rules of its own. It
// knows whether a body is refused, not why.
func reference(body []byte, opt Options) ([]sent, error) {
	items, err := referenceItems(body)
	if err != nil {
		return nil, err
	}
	all := []sent{}
	for _, raw := range items {
		got, err := referenceItem(raw, opt)
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
	}
	if opt.Max > 0 && len(all) > opt.Max {
		return nil, errReference
	}
	return all, nil
}

// referenceItems splits a body into its top-level objects.
func referenceItems(body []byte) ([]json.RawMessage, error) {
	if !utf8.Valid(body) {
		return nil, errReference
	}
	var items []json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(body))
	for end := 0; ; end = int(dec.InputOffset()) {
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if err == io.EOF && len(items) > 0 {
			return items, nil
		}
		if err != nil {
			return nil, errReference
		}
		between := body[end : int(dec.InputOffset())-len(raw)]
		if len(items) > 0 && !bytes.Contains(between, []byte("\n")) {
			return nil, errReference
		}
		if raw[0] == '[' {
			if len(items) > 0 || !json.Valid(body) || json.Unmarshal(raw, &items) != nil || len(items) == 0 {
				return nil, errReference
			}
			return items, nil
		}
		items = append(items, raw)
	}
}

// referenceFields returns the fields of an object, each once.
func referenceFields(raw json.RawMessage) (names []string, fields map[string]json.RawMessage, err error) {
	if raw[0] != '{' {
		return nil, nil, errReference
	}
	fields = map[string]json.RawMessage{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, _ = dec.Token()
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, nil, err
		}
		if _, twice := fields[name.(string)]; twice {
			return nil, nil, errReference
		}
		names = append(names, name.(string))
		fields[name.(string)] = value
	}
	return names, fields, nil
}

func referenceItem(raw json.RawMessage, opt Options) ([]sent, error) {
	_, fields, err := referenceFields(raw)
	if err != nil {
		return nil, err
	}
	s := reading.Series{Device: opt.Device, Labels: reading.NoLabels}
	at := opt.Now
	shape := map[string]bool{}
	for name, raw := range fields {
		var err error
		switch name {
		case "device":
			s.Device, err = referenceText(raw)
		case "metric":
			s.Metric, err = referenceText(raw)
			shape["metric"] = true
		case "unit":
			s.Unit, err = referenceText(raw)
			shape["unit"] = true
		case "time":
			at, err = referenceTime(raw, opt)
			shape["time"] = true
		case "labels":
			s.Labels, err = referenceLabels(raw)
		case "value", "values", "times":
			shape[name] = true
		default:
			err = errReference
		}
		if err != nil {
			return nil, err
		}
	}
	if opt.Device != "" && s.Device != opt.Device {
		return nil, errReference
	}
	switch {
	case shape["value"] && shape["metric"] && !shape["values"] && !shape["times"]:
		v, err := referenceNumber(fields["value"])
		return referenceCheck([]sent{{s, at, v}}, err)
	case shape["values"] && fields["values"][0] == '{' && !shape["metric"] && !shape["unit"] && !shape["times"]:
		return referenceCheck(referenceRow(s, at, fields["values"]))
	case shape["values"] && fields["values"][0] == '[' && shape["metric"] && shape["times"] && !shape["time"]:
		return referenceCheck(referenceColumns(s, fields["times"], fields["values"], opt))
	}
	return nil, errReference
}

func referenceRow(s reading.Series, at int64, values json.RawMessage) ([]sent, error) {
	var all []sent
	metrics, numbers, err := referenceFields(values)
	if err != nil {
		return nil, err
	}
	for _, s.Metric = range metrics {
		v, err := referenceNumber(numbers[s.Metric])
		if err != nil {
			return nil, err
		}
		all = append(all, sent{s, at, v})
	}
	return all, nil
}

func referenceColumns(s reading.Series, rawTimes, rawValues json.RawMessage, opt Options) ([]sent, error) {
	var times, values []json.RawMessage
	if rawTimes[0] != '[' || json.Unmarshal(rawTimes, &times) != nil || json.Unmarshal(rawValues, &values) != nil || len(times) != len(values) {
		return nil, errReference
	}
	var all []sent
	for i := range times {
		at, err := referenceTime(times[i], opt)
		if err != nil {
			return nil, err
		}
		v, err := referenceNumber(values[i])
		if err != nil {
			return nil, err
		}
		all = append(all, sent{s, at, v})
	}
	return all, nil
}

func referenceCheck(all []sent, err error) ([]sent, error) {
	if err == nil && len(all) == 0 {
		err = errReference
	}
	for _, r := range all {
		if err == nil {
			err = r.Check()
		}
	}
	return all, err
}

func referenceText(raw json.RawMessage) (s string, err error) {
	if raw[0] != '"' {
		return "", errReference
	}
	err = json.Unmarshal(raw, &s)
	return s, err
}

func referenceLabels(raw json.RawMessage) (reading.Labels, error) {
	_, fields, err := referenceFields(raw)
	if err != nil {
		return "", err
	}
	m := map[string]string{}
	for key, raw := range fields {
		if m[key], err = referenceText(raw); err != nil {
			return "", err
		}
	}
	return reading.NewLabels(m)
}

func referenceNumber(raw json.RawMessage) (float64, error) {
	if !strings.ContainsRune("-0123456789", rune(raw[0])) {
		return 0, errReference
	}
	v, err := strconv.ParseFloat(string(raw), 64)
	mantissa, _, _ := strings.Cut(strings.ToLower(string(raw)), "e")
	if v == 0 && strings.ContainsAny(mantissa, "123456789") {
		return 0, errReference
	}
	return v, err
}

var (
	referenceInteger = regexp.MustCompile(`^[0-9]+$`)
	referenceRFC3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)
)

func referenceTime(raw json.RawMessage, opt Options) (int64, error) {
	at := new(big.Int)
	if raw[0] == '"' {
		s, _ := referenceText(raw)
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || !referenceRFC3339.MatchString(s) {
			return 0, errReference
		}
		at.SetInt64(t.UnixMicro())
	} else {
		if !referenceInteger.Match(raw) {
			return 0, errReference
		}
		at.SetString(string(raw), 10)
		unit := map[Precision]int64{Seconds: 1e9, Milliseconds: 1e6, Microseconds: 1e3, Nanoseconds: 1}[opt.Precision]
		at.Mul(at, big.NewInt(unit)).Div(at, big.NewInt(1000))
	}
	if at.Sign() < 0 || at.Cmp(big.NewInt(opt.Now+reading.MaxAhead)) > 0 {
		return 0, errReference
	}
	return at.Int64(), nil
}
