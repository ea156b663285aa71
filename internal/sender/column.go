package sender

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// AppendColumn appends the readings of one series to dst as one JSON object, without a newline, and returns the extended
// slice. Send such an object alone, several in an array, or one a line. times are microseconds since 1970-01-01 UTC,
// values finite and as many as times; every value comes back bit for bit. Text must be valid UTF-8. An empty device is
// left out (the key says whose the readings are), and so are an empty unit and no labels.
func AppendColumn(dst []byte, device, metric, unit string, labels map[string]string, times []int64, values []float64) []byte {
	dst = append(dst, '{')
	if device != "" {
		dst = appendText(append(dst, `"device":`...), device)
		dst = append(dst, ',')
	}
	dst = appendText(append(dst, `"metric":`...), metric)
	if unit != "" {
		dst = appendText(append(dst, `,"unit":`...), unit)
	}
	if len(labels) > 0 {
		dst = appendLabels(append(dst, `,"labels":`...), labels)
	}
	dst = append(dst, `,"times":[`...)
	for i, t := range times {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, t, 10)
	}
	dst = append(dst, `],"values":[`...)
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendFloat(dst, v, 'g', -1, 64)
	}
	return append(dst, "]}"...)
}

func appendLabels(dst []byte, labels map[string]string) []byte {
	dst = append(dst, '{')
	for i, key := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(append(appendText(dst, key), ':'), labels[key])
	}
	return append(dst, '}')
}

func appendText(dst []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always marshals
	}
	return append(dst, quoted...)
}
