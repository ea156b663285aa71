package reading

import (
	"math"
	"unicode"
	"unicode/utf8"

	"github.com/readout-dev/readout/internal/fault"
)

// What may be stored. Lengths are in bytes of UTF-8.
const (
	MaxDevice     = 128  // a device's name, at least 1
	MaxMetric     = 128  // a metric, at least 1
	MaxUnit       = 32   // a unit
	MaxLabels     = 16   // labels of one series
	MaxLabelKey   = 64   // a label's key, at least 1
	MaxLabelValue = 256  // a label's value
	MaxLabelsText = 1024 // the canonical text of a series' labels
)

// MaxAhead is how far in the future a reading's time may lie, in microseconds: a day, which forgives a device set to
// local time.
const MaxAhead = 24 * 60 * 60 * 1_000_000

// CheckTime refuses times before 1970 and more than MaxAhead after now with TimeInvalid. Both are microseconds since
// 1970-01-01 UTC.
func CheckTime(t, now int64) error {
	if t < 0 || t > now+MaxAhead {
		return fault.New(fault.TimeInvalid, "time must lie between 1970-01-01T00:00:00Z and a day from now")
	}
	return nil
}

// CheckValue refuses what is not a finite number with ValueRange.
func CheckValue(v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fault.New(fault.ValueRange, "value must be a finite number")
	}
	return nil
}

// Check refuses a series that may not be stored with TextInvalid: a name or label that is too long or not plain text
// (see CheckText), or labels that are not canonical.
func (s Series) Check() error {
	if err := CheckDevice(s.Device); err != nil {
		return err
	}
	if err := CheckText("metric", s.Metric, 1, MaxMetric); err != nil {
		return err
	}
	if err := CheckText("unit", s.Unit, 0, MaxUnit); err != nil {
		return err
	}
	return s.Labels.check()
}

// CheckDevice refuses a device's name that may not be stored with TextInvalid.
func CheckDevice(name string) error {
	return CheckText("device", name, 1, MaxDevice)
}

// CheckText refuses text with TextInvalid unless it is from shortest to longest bytes of valid UTF-8 without control
// characters (C0, DEL, C1), without overrides of the writing direction (U+202A–U+202E, U+2066–U+2069), which make text
// look like another, and without space around it. field names the text in the message.
func CheckText(field, text string, shortest, longest int) error {
	switch {
	case len(text) < shortest:
		return fault.New(fault.TextInvalid, "%s must not be empty", field)
	case len(text) > longest:
		return fault.New(fault.TextInvalid, "%s must be at most %d bytes long", field, longest)
	case !utf8.ValidString(text):
		return fault.New(fault.TextInvalid, "%s must be valid UTF-8", field)
	}
	for _, r := range text {
		if unicode.IsControl(r) || overridesDirection(r) {
			return fault.New(fault.TextInvalid, "%s must not contain control characters", field)
		}
	}
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	if unicode.IsSpace(first) || unicode.IsSpace(last) {
		return fault.New(fault.TextInvalid, "%s must not begin or end with a space", field)
	}
	return nil
}

func overridesDirection(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
