package scalar_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/readout-dev/readout/graph/scalar"
	"github.com/readout-dev/readout/internal/fault"
)

func TestDurationIsWrittenAsItIsRead(t *testing.T) {
	t.Parallel()
	f := func(s, want string) {
		t.Helper()
		p, err := scalar.UnmarshalDuration(s)
		var b strings.Builder
		scalar.MarshalDuration(p).MarshalGQL(&b)
		if err != nil || b.String() != want {
			t.Errorf("%s is written %s, %v", s, b.String(), err)
		}
	}
	f("PT15M", `"PT15M"`)
	f("P7D", `"P1W"`)
	f("PT0.5S", `"PT0.5S"`)
}

func TestDurationRefusesWhatIsNoPeriod(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		nil, 1, int64(60), 1.5, true, json.Number("60"), []any{"P1D"}, map[string]any{}, "", "1ns", "NaN", "-P1D", "PT0S", "P101Y",
	} {
		if p, err := scalar.UnmarshalDuration(v); !fault.Is(err, fault.Invalid) || !p.IsZero() {
			t.Errorf("%v is read as %s, %v", v, p, err)
		}
	}
}
