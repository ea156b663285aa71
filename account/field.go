package account

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// maxSettings bounds a person's settings, in bytes of compact JSON.
const maxSettings = 16 << 10

func checkName(name string) error {
	if len(name) > 128 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fault.New(fault.Invalid, "a name is up to 128 bytes of text without control characters")
	}
	return nil
}

func checkZone(zone string) error {
	_, err := stats.LoadZone(zone)
	return err
}

// compactSettings returns settings as they are stored. Faults: ValueType, TooLarge.
func compactSettings(raw json.RawMessage) (json.RawMessage, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil || compact.Len() == 0 || compact.Bytes()[0] != '{' {
		return nil, fault.New(fault.ValueType, "settings are a JSON object")
	}
	if compact.Len() > maxSettings {
		return nil, fault.New(fault.TooLarge, "settings are limited to %d bytes", maxSettings)
	}
	return compact.Bytes(), nil
}
