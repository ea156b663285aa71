package ingest

import (
	"bytes"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// The fields that each shape may have besides its own values.
const (
	anyShape    = fieldDevice | fieldLabels
	valueShape  = anyShape | fieldMetric | fieldValue | fieldUnit | fieldTime
	rowShape    = anyShape | fieldValues | fieldTime
	columnShape = anyShape | fieldMetric | fieldValues | fieldUnit | fieldTimes
)

// emit checks that the fields of the object make one of the shapes and appends its readings to the batch.
func (d *Decoder) emit() *fault.Error {
	o := &d.object
	switch {
	case len(o.own) > 0 && !bytes.Equal(o.name.device, o.own):
		return errDevice
	case len(o.own) == 0 && o.seen&fieldDevice == 0:
		return errNoDevice
	case o.seen&fieldValue != 0:
		return d.emitValue()
	case len(o.row) > 0:
		return d.emitRow()
	case len(o.column) > 0:
		return d.emitColumn()
	}
	return errNoValue
}

func (d *Decoder) emitValue() *fault.Error {
	o := &d.object
	switch {
	case o.seen&^valueShape != 0:
		return errValueShape
	case o.seen&fieldMetric == 0:
		return errNoMetric
	case d.full(0):
		return errTooMany
	}
	place, _, f := d.series.place(&o.name)
	if f != nil {
		return f
	}
	d.readings = append(d.readings, reading.Reading{Series: int64(place), Time: o.time, Value: o.value})
	return nil
}

func (d *Decoder) emitRow() *fault.Error {
	o := &d.object
	if o.seen&^rowShape != 0 {
		return errObjectShape
	}
	n := o.name
	for i := range o.row {
		n.metric = o.row[i].metric
		place, again, f := d.series.place(&n)
		if f != nil {
			return f
		}
		if again {
			return errMetricTwice
		}
		d.readings = append(d.readings, reading.Reading{Series: int64(place), Time: o.time, Value: o.row[i].value})
	}
	return nil
}

func (d *Decoder) emitColumn() *fault.Error {
	o := &d.object
	switch {
	case o.seen&^columnShape != 0:
		return errColumnsShape
	case o.seen&fieldMetric == 0:
		return errNoMetric
	case o.seen&fieldTimes == 0:
		return errNoTimes
	case len(o.times) != len(o.column):
		return errLengths
	}
	place, _, f := d.series.place(&o.name)
	if f != nil {
		return f
	}
	for i, t := range o.times {
		d.readings = append(d.readings, reading.Reading{Series: int64(place), Time: t, Value: o.column[i]})
	}
	return nil
}
