package ingest

import (
	"encoding/binary"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// field is a set of an object's fields.
type field uint

const (
	fieldDevice field = 1 << iota
	fieldTime
	fieldMetric
	fieldValue
	fieldLabels
	fieldUnit
	fieldTimes
	fieldValues
)

// object is what one object of the body says. Its buffers are used again for the next.
type object struct {
	seen   field
	name   name
	time   int64
	value  float64
	times  []int64
	column []float64     // "values" as an array
	row    []metricValue // "values" as an object

	own    []byte // the device whose key was used
	buf    []byte // strings that had escapes
	labels []reading.Label
	text   []byte // the canonical labels
	raw    []byte // the labels as they were sent, which text is the canonical form of
}

type metricValue struct {
	metric []byte
	value  float64
}

var noLabels = []byte(reading.NoLabels)

// begin forgets the object before, but for the canonical form of its labels.
func (o *object) begin(now int64) {
	o.seen = 0
	o.name = name{device: o.own, labels: noLabels}
	o.time = now
	o.times, o.column, o.row = o.times[:0], o.column[:0], o.row[:0]
	o.buf = o.buf[:0]
}

// shrink lets go of the buffers if they hold more than keep elements.
func (o *object) shrink(keep int) {
	if cap(o.times)+cap(o.column)+cap(o.row)+cap(o.buf) > keep {
		*o = object{own: o.own}
	}
}

// decodeObject decodes the object at p and returns where it ends.
func (d *Decoder) decodeObject(p int) (int, *fault.Error) {
	b, o := d.body, &d.object
	o.begin(d.opt.Now)
	p = skipSpace(b, p+1)
	if p < len(b) && b[p] == '}' {
		return p + 1, d.emit()
	}
	for {
		at, next, f := o.field(b, p)
		if f != nil {
			return 0, f
		}
		if o.seen&at != 0 {
			return 0, errDuplicateField
		}
		o.seen |= at
		if p, f = d.decodeField(at, next); f != nil {
			return 0, f
		}
		p = skipSpace(b, p)
		if p == len(b) {
			return 0, errMalformed
		}
		if b[p] == '}' {
			return p + 1, d.emit()
		}
		if b[p] != ',' {
			return 0, errMalformed
		}
		p = skipSpace(b, p+1)
	}
}

// A field's name with its closing quote as it lies in memory, and the mask of so many bytes: one load and a few
// comparisons tell which field it is.
var (
	mask5, mask6, mask7 = ^uint64(0) >> 24, ^uint64(0) >> 16, ^uint64(0) >> 8

	deviceWord, metricWord, valuesWord, labelsWord = word(`device"`), word(`metric"`), word(`values"`), word(`labels"`)
	valueWord, timesWord                           = word(`value"`), word(`times"`)
	timeWord, unitWord                             = word(`time"`), word(`unit"`)
)

func word(s string) uint64 {
	var b [8]byte
	copy(b[:], s)
	return binary.LittleEndian.Uint64(b[:])
}

// field reads the name at b[p] and its colon, and returns the field and where its value begins.
func (o *object) field(b []byte, p int) (at field, value int, f *fault.Error) {
	if p == len(b) || b[p] != '"' {
		return 0, 0, errMalformed
	}
	if at, p = fieldOf(b, p); at == 0 {
		if at, p, f = o.fieldSlow(b, p); f != nil {
			return 0, 0, f
		}
	}
	if p < len(b) && b[p] == ':' {
		p++
	} else if p = skipSpace(b, p); p < len(b) && b[p] == ':' {
		p++
	} else {
		return 0, 0, errMalformed
	}
	return at, skipSpace(b, p), nil
}

// fieldOf returns the field whose opening quote is b[p], and where its name ends, or 0 and p if it takes a closer look.
func fieldOf(b []byte, p int) (field, int) {
	if len(b)-p < 9 {
		return 0, p
	}
	w := binary.LittleEndian.Uint64(b[p+1:])
	switch w & mask7 {
	case deviceWord:
		return fieldDevice, p + 8
	case metricWord:
		return fieldMetric, p + 8
	case valuesWord:
		return fieldValues, p + 8
	case labelsWord:
		return fieldLabels, p + 8
	}
	switch w & mask6 {
	case valueWord:
		return fieldValue, p + 7
	case timesWord:
		return fieldTimes, p + 7
	}
	switch w & mask5 {
	case timeWord:
		return fieldTime, p + 6
	case unitWord:
		return fieldUnit, p + 6
	}
	return 0, p
}

// fieldSlow is fieldOf for names near the end of the body or with escapes, and for unknown ones.
func (o *object) fieldSlow(b []byte, p int) (field, int, *fault.Error) {
	s, next, f := text(b, p, &o.buf)
	if f != nil {
		return 0, 0, f
	}
	var quoted [9]byte
	quoted[0] = '"'
	if len(s) < len(quoted)-1 {
		quoted[1+copy(quoted[1:], s)] = '"'
	}
	if at, end := fieldOf(quoted[:], 0); at != 0 && end == len(s)+2 {
		return at, next, nil
	}
	return 0, 0, errUnknownField
}

// decodeField decodes the value at p of one field and returns where it ends.
func (d *Decoder) decodeField(at field, p int) (next int, f *fault.Error) {
	b, o := d.body, &d.object
	switch at {
	case fieldDevice:
		o.name.device, next, f = o.textField(b, p, errDeviceType)
	case fieldMetric:
		o.name.metric, next, f = o.textField(b, p, errMetricType)
	case fieldUnit:
		o.name.unit, next, f = o.textField(b, p, errUnitType)
	case fieldValue:
		o.value, next, f = valueAt(b, p)
	case fieldTime:
		o.time, next, f = d.timeAt(p)
	case fieldLabels:
		next, f = o.decodeLabels(b, p)
	case fieldTimes:
		next, f = d.decodeTimes(p)
	case fieldValues:
		next, f = d.decodeValues(p)
	}
	return next, f
}

// textField reads the string at b[p]; f says what else may not be there.
func (o *object) textField(b []byte, p int, wrong *fault.Error) (s []byte, next int, f *fault.Error) {
	if p == len(b) || b[p] != '"' {
		return nil, 0, wrongType(b, p, wrong)
	}
	return text(b, p, &o.buf)
}

// valueAt reads the number at b[p].
func valueAt(b []byte, p int) (v float64, next int, f *fault.Error) {
	if p == len(b) || b[p] != '-' && !isDigit(b[p]) {
		return 0, 0, wrongType(b, p, errValueType)
	}
	return number(b, p)
}

// timeAt reads the time at p, text or integer, and checks that it may be stored.
func (d *Decoder) timeAt(p int) (micros int64, next int, f *fault.Error) {
	b := d.body
	switch {
	case p < len(b) && b[p] == '"':
		s, end, f := text(b, p, &d.object.buf)
		if f != nil {
			return 0, 0, f
		}
		var ok bool
		if micros, ok = d.day.rfc3339(s); !ok {
			return 0, 0, errTime
		}
		next = end
	case p < len(b) && (b[p] == '-' || isDigit(b[p])):
		if micros, next, f = integerTime(b, p, d.opt.Precision); f != nil {
			return 0, 0, f
		}
	default:
		return 0, 0, wrongType(b, p, errTimeType)
	}
	if micros < 0 || micros > d.latest {
		return 0, 0, errTimeRange
	}
	return micros, next, nil
}
