package scalar

import (
	"io"

	"github.com/99designs/gqlgen/graphql"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/stats"
)

// MarshalDuration writes a period as a duration of ISO 8601: "PT15M", "P1M".
func MarshalDuration(p stats.Period) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, `"`+p.String()+`"`)
	})
}

// UnmarshalDuration reads a string as stats.ParsePeriod does.
func UnmarshalDuration(v any) (stats.Period, error) {
	s, ok := v.(string)
	if !ok {
		return stats.Period{}, fault.New(fault.Invalid, `a duration is a string of ISO 8601 such as "PT15M" or "P1M"`)
	}
	return stats.ParsePeriod(s)
}
