package ingest

import (
	"bytes"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// Options is what a request says besides its body.
type Options struct {
	Precision Precision // the unit of times that are integers
	Now       int64     // the time of arrival in microseconds since 1970 UTC: the time of readings that have none
	Max       int       // the most readings, and refused items, in a request; 0 means no limit but the body's length
	Device    string    // the device whose key was used: "device" may be left out or must name it; empty for a project's key
}

// Decoder reads bodies of POST /v1/readings: JSON of one object, an array of objects, or one object a line (NDJSON), in
// any of the three shapes
//
//	{"device": "boiler-7", "time": "2026-11-21T10:00:00Z", "values": {"temperature": 21.5, "humidity": 40}}
//	{"device": "boiler-7", "time": "2026-11-21T10:00:00Z", "metric": "temperature", "value": 21.5, "unit": "Cel"}
//	{"device": "boiler-7", "metric": "temperature", "times": [1763719200000, 1763719210000], "values": [21.5, 21.6]}
//
// each with or without "labels". It is strict: names match exactly and occur once, nothing is coerced, and every number
// is the float64 nearest to what was sent. A time is an integer, or text by RFC 3339 with a zone, a day of the calendar,
// no 24:00 and no leap second; a fraction of up to nine digits is cut to microseconds. Names and labels are what
// reading.Series.Check takes.
//
// A Decoder remembers the series of earlier bodies, up to a bound, so that naming them again allocates nothing. The zero
// value is ready. It is for one goroutine at a time.
type Decoder struct {
	body    []byte
	opt     Options
	partial bool
	latest  int64 // the latest time that is accepted

	series   seriesTable
	readings []reading.Reading
	batch    reading.Batch
	refused  []ItemError

	object object
	day    day
}

// ItemError says why one item of a partial request was refused.
type ItemError struct {
	Index int   // the item's place among the top-level objects, counted from 0
	Err   error // a *fault.Error
}

// Decode returns the readings of body in the order they were sent, and the distinct series that they name, in order of
// first appearance. The first thing wrong refuses the whole body; the fault's Index says which top-level object it is in.
// Codes: EmptyBody, Malformed, UnknownField, DuplicateField, MissingField, ValueType, ValueRange, TimeInvalid,
// TextInvalid, Invalid, Forbidden (another device than the key's) and TooLarge (more than opt.Max readings).
//
// The batch's Readings belong to the caller for good; the batch itself and its Series only until the next call.
func (d *Decoder) Decode(body []byte, opt Options) (*reading.Batch, error) {
	batch, _, err := d.decode(body, opt, false)
	return batch, err
}

// DecodePartial is Decode that leaves out each item with a fault, reports it, and keeps the rest. It fails as a whole
// when the body is not JSON, except that of NDJSON only the lines that are not JSON are refused, unless all are. The
// ItemErrors belong to the decoder, until the next call.
func (d *Decoder) DecodePartial(body []byte, opt Options) (*reading.Batch, []ItemError, error) {
	return d.decode(body, opt, true)
}

func (d *Decoder) decode(body []byte, opt Options, partial bool) (*reading.Batch, []ItemError, error) {
	d.begin(body, opt, partial)
	defer d.end()
	if err := d.items(); err != nil {
		return nil, nil, err
	}
	d.batch = reading.Batch{Series: d.series.named, Items: d.series.items, Readings: append([]reading.Reading(nil), d.readings...)}
	return &d.batch, d.refused, nil
}

func (d *Decoder) begin(body []byte, opt Options, partial bool) {
	d.body, d.opt, d.partial = body, opt, partial
	d.latest = opt.Now + reading.MaxAhead
	d.readings, d.refused = d.readings[:0], d.refused[:0]
	d.object.own = append(d.object.own[:0], opt.Device...)
	d.series.begin()
}

// end lets go of the body, and of buffers that one huge body has bloated.
func (d *Decoder) end() {
	const keep = 1 << 16 // elements
	d.body = nil
	if cap(d.readings) > keep {
		d.readings = nil
	}
	if cap(d.refused) > keep {
		d.refused = nil // the caller still has it
	}
	d.object.shrink(keep)
}

// items decodes the body as a whole.
func (d *Decoder) items() error {
	p := skipSpace(d.body, 0)
	switch {
	case p == len(d.body):
		return errEmptyBody
	case d.body[p] == '[':
		return d.array(p)
	case d.body[p] == '{':
		return d.lines(p)
	case bytes.HasPrefix(d.body, []byte("\xef\xbb\xbf")):
		return errByteOrderMark
	}
	return wrongType(d.body, p, errBodyType)
}

// array decodes an array of objects that begins at p.
func (d *Decoder) array(p int) error {
	p = skipSpace(d.body, p+1)
	if p < len(d.body) && d.body[p] == ']' {
		return errEmptyBody
	}
	for index := 0; ; index++ {
		next, f := d.item(p)
		if f != nil {
			var err error
			if next, err = d.pass(p, index, f); err != nil {
				return err
			}
			if next < 0 {
				return errMalformed.At(index)
			}
		}
		p = skipSpace(d.body, next)
		switch {
		case p == len(d.body) || d.body[p] != ',' && d.body[p] != ']':
			return errMalformed.At(index)
		case d.body[p] == ']':
			if skipSpace(d.body, p+1) < len(d.body) {
				return errTrailing
			}
			return nil
		}
		p = skipSpace(d.body, p+1)
	}
}

// lines decodes one object, or several with a newline between each two (NDJSON), of which the first begins at p.
func (d *Decoder) lines(p int) error {
	malformed := 0
	index := 0
	for ; p < len(d.body); index++ {
		next, f := d.item(p)
		if f == nil && !endsLine(d.body, next) {
			d.undo()
			f = errTrailing
		}
		if f != nil {
			var err error
			if next, err = d.pass(p, index, f); err != nil {
				return err
			}
			if next < 0 || !endsLine(d.body, next) {
				// Where the object ends is anyone's guess; the line's end is certain.
				next = lineEnd(d.body, p)
				d.refused[len(d.refused)-1].Err = errMalformed
				malformed++
			}
		}
		p = skipSpace(d.body, next)
	}
	if index > 0 && malformed == index {
		return errMalformed.At(0)
	}
	return nil
}

// item decodes the top-level object at p and returns where it ends. When it is refused, nothing of it stays.
func (d *Decoder) item(p int) (int, *fault.Error) {
	d.series.beginItem(len(d.readings))
	if p == len(d.body) || d.body[p] != '{' {
		return 0, wrongType(d.body, p, errItemType)
	}
	next, f := d.decodeObject(p)
	if f != nil {
		d.undo()
	}
	return next, f
}

// undo takes the readings and series of the current item back.
func (d *Decoder) undo() {
	d.readings = d.readings[:d.series.undo()]
}

// pass notes that the item at p is refused for f and returns where it ends, or -1 when that cannot be told because it is
// not JSON. It fails when the whole body is refused with the item.
func (d *Decoder) pass(p, index int, f *fault.Error) (next int, err error) {
	switch {
	case f == errTooMany, d.partial && d.opt.Max > 0 && len(d.refused) == d.opt.Max:
		return 0, errTooMany
	case !d.partial:
		return 0, f.At(index)
	}
	d.refused = append(d.refused, ItemError{Index: index, Err: f})
	return skipValue(d.body, p), nil
}

// endsLine reports whether nothing but space follows b[:p] on its line.
func endsLine(b []byte, p int) bool {
	for ; p < len(b) && b[p] != '\n'; p++ {
		if b[p] != ' ' && b[p] != '\t' && b[p] != '\r' {
			return false
		}
	}
	return true
}

// lineEnd returns where the line around b[p] ends.
func lineEnd(b []byte, p int) int {
	if i := bytes.IndexByte(b[p:], '\n'); i >= 0 {
		return p + i
	}
	return len(b)
}
