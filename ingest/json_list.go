package ingest

import (
	"bytes"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// decodeLabels decodes the labels at p into their canonical form.
func (o *object) decodeLabels(b []byte, p int) (next int, f *fault.Error) {
	if len(o.raw) > 0 && bytes.HasPrefix(b[p:], o.raw) {
		o.name.labels = o.text // the same labels as those before, character by character
		return p + len(o.raw), nil
	}
	if p == len(b) || b[p] != '{' {
		return 0, wrongType(b, p, errLabelsType)
	}
	o.labels, o.raw = o.labels[:0], o.raw[:0]
	start := p
	if p = skipSpace(b, p+1); p < len(b) && b[p] == '}' {
		o.name.labels = noLabels
		return p + 1, nil
	}
	for more := true; more; {
		var l reading.Label
		if l.Key, p, f = o.nameAt(b, p); f != nil {
			return 0, f
		}
		if l.Value, p, f = o.textField(b, p, errLabelsType); f != nil {
			return 0, f
		}
		if len(o.labels) == reading.MaxLabels {
			return 0, errManyLabels
		}
		o.labels = append(o.labels, l)
		if p, more, f = separator(b, p, '}'); f != nil {
			return 0, f
		}
	}
	var err error
	if o.text, err = reading.AppendLabels(o.text[:0], o.labels); err != nil {
		return 0, fault.Of(err)
	}
	if p-start <= 2*reading.MaxLabelsText { // more would bloat the buffer, and is refused or mostly space
		o.raw = append(o.raw, b[start:p]...)
	}
	o.name.labels = o.text
	return p, nil
}

// nameAt reads the name at b[p] and its colon, and returns where the value begins.
func (o *object) nameAt(b []byte, p int) (s []byte, next int, f *fault.Error) {
	if p == len(b) || b[p] != '"' {
		return nil, 0, errMalformed
	}
	if s, p, f = text(b, p, &o.buf); f != nil {
		return nil, 0, f
	}
	if p = skipSpace(b, p); p == len(b) || b[p] != ':' {
		return nil, 0, errMalformed
	}
	return s, skipSpace(b, p+1), nil
}

// separator reads the comma or the closing bracket at b[p] and says whether another element follows.
func separator(b []byte, p int, closing byte) (next int, more bool, f *fault.Error) {
	if p+1 < len(b) && b[p] == ',' && b[p+1] > ' ' { // as most clients write it
		return p + 1, true, nil
	}
	p = skipSpace(b, p)
	switch {
	case p == len(b):
	case b[p] == ',':
		return skipSpace(b, p+1), true, nil
	case b[p] == closing:
		return p + 1, false, nil
	}
	return 0, false, errMalformed
}

// decodeValues decodes "values" at p: an object of numbers, by metric, or an array of numbers.
func (d *Decoder) decodeValues(p int) (next int, f *fault.Error) {
	b := d.body
	if p == len(b) || b[p] != '{' && b[p] != '[' {
		return 0, wrongType(b, p, errValuesType)
	}
	closing := b[p] + 2 // ']' is '[' + 2, '}' is '{' + 2
	if p = skipSpace(b, p+1); p < len(b) && b[p] == closing {
		return 0, errNoValues
	}
	if closing == '}' {
		return d.decodeRow(p)
	}
	return d.decodeColumn(p)
}

// decodeRow decodes an object of numbers from its first name on.
func (d *Decoder) decodeRow(p int) (next int, f *fault.Error) {
	b, o := d.body, &d.object
	for more := true; more; {
		if d.full(len(o.row)) {
			return 0, errTooMany
		}
		var m metricValue
		if m.metric, p, f = o.nameAt(b, p); f != nil {
			return 0, f
		}
		if m.value, p, f = valueAt(b, p); f != nil {
			return 0, f
		}
		o.row = append(o.row, m)
		if p, more, f = separator(b, p, '}'); f != nil {
			return 0, f
		}
	}
	return p, nil
}

// decodeColumn decodes an array of numbers from its first number on.
func (d *Decoder) decodeColumn(p int) (next int, f *fault.Error) {
	b, o := d.body, &d.object
	for more := true; more; {
		if d.full(len(o.column)) {
			return 0, errTooMany
		}
		var v float64
		if v, p, f = valueAt(b, p); f != nil {
			return 0, f
		}
		o.column = append(o.column, v)
		if p, more, f = separator(b, p, ']'); f != nil {
			return 0, f
		}
	}
	return p, nil
}

// decodeTimes decodes "times" at p, an array of times.
func (d *Decoder) decodeTimes(p int) (next int, f *fault.Error) {
	b, o := d.body, &d.object
	if p == len(b) || b[p] != '[' {
		return 0, wrongType(b, p, errTimesType)
	}
	if p = skipSpace(b, p+1); p < len(b) && b[p] == ']' {
		return p + 1, nil
	}
	for more := true; more; {
		if d.full(len(o.times)) {
			return 0, errTooMany
		}
		var t int64
		if t, p, f = d.timeAt(p); f != nil {
			return 0, f
		}
		o.times = append(o.times, t)
		if p, more, f = separator(b, p, ']'); f != nil {
			return 0, f
		}
	}
	return p, nil
}

// full reports whether an object that has the given number of readings may have no further one.
func (d *Decoder) full(readings int) bool {
	return d.opt.Max > 0 && len(d.readings)+readings >= d.opt.Max
}
