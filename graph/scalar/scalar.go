// Package scalar says how the scalars of the GraphQL schema are written and read: ids, times and labels. Reading is
// strict: what is not exactly the documented form is refused, never guessed at.
package scalar

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"entgo.io/contrib/entgql"
	"github.com/99designs/gqlgen/graphql"

	"github.com/readout-dev/readout/internal/fault"
)

// MarshalID writes an entity's id as GraphQL does: a string.
func MarshalID(id int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, `"`+strconv.FormatInt(id, 10)+`"`)
	})
}

// UnmarshalID reads an id given as a string or, as GraphQL allows, an integer. Text that no id has becomes an id that no
// entity has, so that a foreign, an unknown and a senseless id have one answer.
func UnmarshalID(v any) (int64, error) {
	switch v := v.(type) {
	case string:
		if id, err := strconv.ParseInt(v, 10, 64); err == nil {
			return id, nil
		}
		return 0, nil
	case json.Number:
		return UnmarshalID(string(v))
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	}
	return 0, fault.New(fault.Invalid, "an ID is a string")
}

// MarshalLabels writes labels as a JSON object with string values.
func MarshalLabels(labels map[string]string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		b, err := json.Marshal(labels)
		if err != nil || labels == nil {
			b = []byte("{}")
		}
		_, _ = w.Write(b)
	})
}

// UnmarshalLabels reads a JSON object with string values; nothing is coerced.
func UnmarshalLabels(v any) (map[string]string, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fault.New(fault.Invalid, "labels are an object with string values")
	}
	labels := make(map[string]string, len(object))
	for k, v := range object {
		s, ok := v.(string)
		if !ok {
			return nil, fault.New(fault.Invalid, "the value of a label is a string")
		}
		labels[k] = s
	}
	return labels, nil
}

// MarshalTime writes a time as RFC 3339 in UTC with as many digits as it needs, at most six.
func MarshalTime(t time.Time) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		_, err := w.Write(t.UTC().Truncate(time.Microsecond).AppendFormat([]byte{'"'}, time.RFC3339Nano+`"`))
		return err
	})
}

// UnmarshalTime reads RFC 3339 with a zone, "now", or a time before or after now as a signed number of seconds (s),
// minutes (m), hours (h), days of 24 hours (d) or weeks (w): "-15m", "-24h", "-30d", "+1h". Now is that of the context.
func UnmarshalTime(ctx context.Context, v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, errTime
	}
	return ParseTime(s, Now(ctx))
}

var errTime error = fault.New(fault.TimeInvalid, `a time is RFC 3339 with a zone, from 1970 on, "now", or relative to it such as "-24h" or "-30d"`)

type nowKey struct{}

// WithNow returns a context in which it is now: so that all times of one answer are relative to the same moment.
func WithNow(ctx context.Context, now time.Time) context.Context {
	return context.WithValue(ctx, nowKey{}, now)
}

// Now is what WithNow said, or else the present.
func Now(ctx context.Context) time.Time {
	if now, ok := ctx.Value(nowKey{}).(time.Time); ok {
		return now
	}
	return time.Now()
}

// ParseTime is UnmarshalTime of text, with its now.
func ParseTime(s string, now time.Time) (time.Time, error) {
	if s == "now" {
		return now, nil
	}
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		return relative(s, now)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, errTime
	}
	return t, nil
}

var units = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
}

// longest is how many of a unit a relative time may be away: 200 years.
func longest(unit time.Duration) int64 { return int64(200 * 365 * 24 * time.Hour / unit) }

func relative(s string, now time.Time) (time.Time, error) {
	unit, known := units[s[len(s)-1]]
	n, err := strconv.ParseInt(strings.TrimPrefix(s[:len(s)-1], "+"), 10, 64)
	if !known || err != nil || n > longest(unit) || n < -longest(unit) {
		return time.Time{}, errTime
	}
	t := now.Add(time.Duration(n) * unit)
	if t.Year() < 1970 {
		return time.Unix(0, 0).UTC(), nil
	}
	return t, nil
}

// MarshalCursor writes a cursor as entgql does: base64 of its message pack.
func MarshalCursor(c entgql.Cursor[int64]) graphql.Marshaler { return graphql.WriterFunc(c.MarshalGQL) }

// UnmarshalCursor reads a cursor that some list has given; whether it was this one is for the list to say.
func UnmarshalCursor(v any) (entgql.Cursor[int64], error) {
	var c entgql.Cursor[int64]
	if s, ok := v.(string); !ok || s == "" || len(s) > maxCursor || c.UnmarshalGQL(s) != nil || !isPlace(c.Value) {
		return c, fault.New(fault.Invalid, "this is not a cursor: leave it out to start anew")
	}
	return c, nil
}

// maxCursor is the longest cursor that is read, in bytes: one holds the value that its list is ordered by.
const maxCursor = 1024

// isPlace reports whether a cursor holds what a list can be ordered by.
func isPlace(v any) bool {
	switch v.(type) {
	case nil, string, []byte, time.Time:
		return true
	}
	return false
}
