package stats

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
)

func TestNamedFindsEachStatisticAndWhatItNeeds(t *testing.T) {
	t.Parallel()
	b := bucketOf(at(0, 2, 1, 4, 2, 8, 4, 1, 5, 5), 3, 4.5)
	b.AddLabel("room", "2")
	f := func(name string, want float64, need Need) {
		t.Helper()
		of, got, err := Named(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wants(t, b, name, of, want)
		if got.Plain {
			plain := *b
			plain.Summary = b.Summary.Plain()
			wants(t, &plain, name+", plain", of, want)
		}
		if !reflect.DeepEqual(got, need) {
			t.Errorf("%s needs %+v, want %+v", name, got, need)
		}
		if needed, ok := of(&Bucket{}); name != "count" && (ok && !strings.HasPrefix(name, "distinct") || needed != 0) {
			t.Errorf("%s of nothing is %v", name, needed)
		}
	}
	f("count", 5, Need{Plain: true})
	f("sum", 20, Need{Plain: true})
	f("mean", 4, Need{Plain: true})
	f("min", 1, Need{Plain: true})
	f("max", 8, Need{Plain: true})
	f("range", 7, Need{Plain: true})
	f("first", 2, Need{})
	f("last", 5, Need{})
	f("delta", 3, Need{Line: true})
	f("rate", 11.0/300, Need{Line: true})
	f("variance", 7.5, Need{})
	f("stddev", math.Sqrt(7.5), Need{})
	f("median", 4, Need{Values: true, Plain: true})
	f("time_weighted_mean", 21.0/5, Need{Line: true})
	f("integral", 21.0/60, Need{Line: true})
	f("p0", 1, Need{Values: true, Plain: true})
	f("p50", 4, Need{Values: true, Plain: true})
	f("p62.5", 4.5, Need{Values: true, Plain: true})
	f("p100", 8, Need{Values: true, Plain: true})
	f("quantile:0.25", 2, Need{Values: true, Plain: true})
	f("quantile:1", 8, Need{Values: true, Plain: true})
	f("distinct:room", 1, Need{Labels: []string{"room"}, Plain: true})
	f("distinct:a:b", 0, Need{Labels: []string{"a:b"}, Plain: true})
	f("above:4.5", 60*3.5/4+120*3.5/7+60*0.5/4, Need{Line: true, Thresholds: []float64{4.5}})
	f("below:3", 60*0.5+120*2.0/7+60*0.5, Need{Line: true, Thresholds: []float64{3}})
	f("above:-1e3", nothing, Need{Line: true, Thresholds: []float64{-1e3}})
	f("completeness:PT30S", 0.5, Need{Plain: true})
}

// 99.9 / 100 is not 0.999.
func TestPercentagesAreTheNearestQuantiles(t *testing.T) {
	t.Parallel()
	values := make([]float64, 1001)
	for i := range values {
		values[i] = float64(i)
	}
	of, _, err := Named("p99.9")
	if got, _ := of(bucketOf(series(values...))); err != nil || got != 999 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestNamedRefusesWhatIsNoStatistic(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", "COUNT", "Mean", "avg", "p", "p-1", "p101", "p1e1", "p0x10", "p.5", "p5.", "p1_0", "pNaN", "pinf", "quantile", "quantile:", "quantile:1.1",
		"quantile:-0.1", "quantile:NaN", "quantile:0x1p-2", "quantile:+0.5", "distinct", "distinct:", "above", "above:", "above:NaN", "above:inf", "above:1e999",
		"above:1_000", "below: 5", "below:5 ", "below:five", "completeness", "completeness:1h", "completeness:P0D", "count:", "sum ", " sum", "mean:1",
	} {
		of, need, err := Named(name)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Invalid || of != nil || !reflect.DeepEqual(need, Need{}) {
			t.Errorf("%q: %v, %v", name, need, err)
		}
	}
}

func TestNamesAreThoseThatNamedKnows(t *testing.T) {
	t.Parallel()
	names := strings.NewReplacer(" (any percentage: p99.9)", ", p99.9", ":label", ":room", ":threshold", ":21.5").Replace(Names())
	for name := range strings.SplitSeq(names, ", ") {
		if _, _, err := Named(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestNeedsAreJoined(t *testing.T) {
	t.Parallel()
	a := Need{Line: true, Thresholds: append(make([]float64, 0, 9), 5, 7), Labels: []string{"room"}}
	b := Need{Values: true, Line: true, Thresholds: []float64{-1, 5}, Labels: []string{"floor", "room"}}
	want := Need{Values: true, Line: true, Thresholds: []float64{-1, 5, 7}, Labels: []string{"floor", "room"}}
	if got := a.And(b); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (Need{}).And(Need{}); !reflect.DeepEqual(got, Need{}) {
		t.Errorf("got %+v", got)
	}
	plain := Need{Plain: true}
	if got := plain.And(plain); !got.Plain {
		t.Error("what needs no more than is plain needs more together")
	}
	if plain.And(Need{}).Plain || (Need{}).And(plain).Plain {
		t.Error("what needs more is forgotten")
	}
	if !reflect.DeepEqual(a.Thresholds[:4], []float64{5, 7, 0, 0}) || !reflect.DeepEqual(b.Labels, []string{"floor", "room"}) {
		t.Errorf("And has changed %+v or %+v", a, b)
	}
}
