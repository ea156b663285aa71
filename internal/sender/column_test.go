package sender

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestColumnIsTheObjectOfTheContract(t *testing.T) {
	t.Parallel()
	f := func(want string, got []byte) {
		t.Helper()
		if string(got) != want || !json.Valid(got) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f(`{"device":"boiler-7","metric":"temperature","unit":"Cel","labels":{"floor":"1","room":"2 \"b\""},"times":[1763719200000000,1763719210000000],"values":[21.5,-0.1]}`,
		AppendColumn(nil, "boiler-7", "temperature", "Cel", map[string]string{"room": `2 "b"`, "floor": "1"}, []int64{1763719200000000, 1763719210000000}, []float64{21.5, -0.1}))
	f(`{"metric":"m","times":[],"values":[]}`, AppendColumn(nil, "", "m", "", nil, nil, nil))
	f(`[{"metric":"m","times":[0],"values":[1e+21]}]`, append(AppendColumn([]byte("["), "", "m", "", map[string]string{}, []int64{0}, []float64{1e21}), ']'))
}

func TestColumnComesBackBitForBit(t *testing.T) {
	t.Parallel()
	type column struct {
		Device, Metric, Unit string
		Labels               map[string]string
		Times                []int64
		Values               []float64
	}
	finite := rapid.Map(rapid.Uint64(), func(b uint64) float64 {
		if v := math.Float64frombits(b); !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v
		}
		return math.Copysign(0, -1)
	})
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		want := column{
			Device: rapid.String().Draw(t, "device"), Metric: rapid.String().Draw(t, "metric"), Unit: rapid.String().Draw(t, "unit"),
			Labels: rapid.MapOfN(rapid.String(), rapid.String(), 1, 3).Draw(t, "labels"),
			Times:  rapid.SliceOfN(rapid.Int64(), n, n).Draw(t, "times"),
			Values: rapid.SliceOfN(finite, n, n).Draw(t, "values"),
		}
		var got column
		body := AppendColumn(nil, want.Device, want.Metric, want.Unit, want.Labels, want.Times, want.Values)
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		for i := range want.Values {
			if math.Float64bits(got.Values[i]) != math.Float64bits(want.Values[i]) {
				t.Fatalf("value %v came back as %v", want.Values[i], got.Values[i])
			}
		}
		got.Values = want.Values
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func BenchmarkAppendColumn(b *testing.B) {
	times, values := make([]int64, 500), make([]float64, 500)
	for i := range times {
		times[i], values[i] = 1_763_719_200_000_000+int64(i)*1e6, 20+float64(i)/100
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendColumn(dst[:0], "boiler-7", "temperature", "Cel", nil, times, values)
	}
}
