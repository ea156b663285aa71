package ingest

import (
	"bytes"

	"github.com/readout-dev/readout/internal/fault"
)

// What can be wrong with a body. A fault is made once and shared: a request of a million bad items costs no more memory
// than one of good ones. None of them echoes the input.
var (
	errEmptyBody     = fault.New(fault.EmptyBody, "the body is empty: send an object, an array of objects, or one object a line")
	errByteOrderMark = fault.New(fault.Malformed, "the body begins with a byte order mark: send UTF-8 without it")
	errMalformed     = fault.New(fault.Malformed, "the body is not well-formed JSON")
	errTrailing      = fault.New(fault.Malformed, "something follows the end of the JSON: put several objects into an array, or each on a line of its own")
	errBodyType      = fault.New(fault.ValueType, "the body must be an object, an array of objects, or one object a line")
	errItemType      = fault.New(fault.ValueType, "each item must be an object")
	errTooMany       = fault.New(fault.TooLarge, "too many readings in one request: send them in several")

	errUnknownField   = fault.New(fault.UnknownField, "the fields are device, time, metric, value, labels, unit, times and values, spelt exactly so")
	errDuplicateField = fault.New(fault.DuplicateField, "a field occurs twice in one object: send it once")
	errMetricTwice    = fault.New(fault.DuplicateField, `a metric occurs twice in "values": send it once`)

	errNoDevice = fault.New(fault.MissingField, `"device" is missing: name the device, or use the device's own key`)
	errNoMetric = fault.New(fault.MissingField, `"metric" is missing: name it beside "value", or send "values" as an object of metrics`)
	errNoValue  = fault.New(fault.MissingField, `"value" or "values" is missing`)
	errNoTimes  = fault.New(fault.MissingField, `"times" is missing: an array of values needs as many times`)

	errDevice     = fault.New(fault.Forbidden, `the key is another device's: leave "device" out, or use a project's key`)
	errDeviceType = fault.New(fault.ValueType, `"device" must be a string`)
	errMetricType = fault.New(fault.ValueType, `"metric" must be a string`)
	errUnitType   = fault.New(fault.ValueType, `"unit" must be a string`)
	errLabelsType = fault.New(fault.ValueType, `"labels" must be an object of strings`)
	errValueType  = fault.New(fault.ValueType, "a value must be a number")
	errValuesType = fault.New(fault.ValueType, `"values" must be an object of numbers or an array of numbers`)
	errTimesType  = fault.New(fault.ValueType, `"times" must be an array of times`)
	errTimeType   = fault.New(fault.ValueType, "a time must be a string of RFC 3339 or an integer")

	errValueRange = fault.New(fault.ValueRange, "a value is too large or too small for a float64")
	errTime       = fault.New(fault.TimeInvalid, "a time must be RFC 3339 with a zone, as 2026-11-21T10:00:00Z, or an integer in the request's precision")
	errTimeRange  = fault.New(fault.TimeInvalid, "a time must lie between 1970-01-01T00:00:00Z and a day from now; integers are in milliseconds unless precision says otherwise")
	errText       = fault.New(fault.TextInvalid, "a string must be valid UTF-8 without NUL and unpaired surrogates")
	errManyLabels = fault.New(fault.TextInvalid, "a series must have at most 16 labels")

	errNoValues     = fault.New(fault.Invalid, `"values" is empty`)
	errLengths      = fault.New(fault.Invalid, `"times" and "values" must be of the same length`)
	errValueShape   = fault.New(fault.Invalid, `"value" is one reading of one metric: send it with "metric" and at most one "time", without "values" and "times"`)
	errObjectShape  = fault.New(fault.Invalid, `"values" as an object names the metrics itself: send it without "metric", "times" and "unit" (units belong to one metric: send "metric" and "value")`)
	errColumnsShape = fault.New(fault.Invalid, `"values" as an array goes with "metric" and "times", without "time"`)
)

// wrongType returns f when a JSON value begins at b[p], and else that the body is malformed.
func wrongType(b []byte, p int, f *fault.Error) *fault.Error {
	if p == len(b) {
		return errMalformed
	}
	switch c := b[p]; {
	case c == '"' || c == '{' || c == '[':
		return f
	case c == '-' || isDigit(c):
		if _, _, bad := number(b, p); bad == errMalformed {
			return bad
		}
		return f
	case skipLiteral(b, p) > 0:
		return f
	}
	return errMalformed
}

// skipLiteral returns where the true, false or null at b[p] ends, or -1.
func skipLiteral(b []byte, p int) int {
	for _, literal := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(b[p:], []byte(literal)) {
			return p + len(literal)
		}
	}
	return -1
}
