package ingest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/reading"
)

// benchNow is the time of arrival in benchmarks and tests: 2025-11-21T12:00:00Z.
const benchNow = 1_763_726_400_000_000

// A body of each shape with 1,000 readings of 20 devices, written as the usual client libraries do: rows with a space
// after each colon and comma (Python), the others without (JavaScript).
var benchBodies = []struct {
	name string
	make func(n int) []byte
}{{"rows", rowsBody}, {"objects", objectsBody}, {"columns", columnsBody}}

func rowsBody(n int) []byte {
	var b strings.Builder
	walk := newWalk()
	for i := range n {
		fmt.Fprintf(&b, `{"device": "boiler-%d", "time": "%s", "metric": "temperature", "value": %v, "labels": {"room": "%d"}, "unit": "Cel"}, `,
			i%20, walk.time(i/20).Format("2006-01-02T15:04:05.000Z"), walk.value(i%20), i%20/4)
	}
	return []byte("[" + strings.TrimSuffix(b.String(), ", ") + "]")
}

func objectsBody(n int) []byte {
	var b strings.Builder
	walk := newWalk()
	for i := range n / 4 {
		fmt.Fprintf(&b, `{"device":"boiler-%d","time":"%s","values":{"temperature":%v,"humidity":%v,"pressure":%v,"power":%v}},`,
			i%20, walk.time(i/20).Format(time.RFC3339), walk.value(0), walk.value(1), walk.value(2), walk.value(3))
	}
	return []byte("[" + strings.TrimSuffix(b.String(), ",") + "]")
}

func columnsBody(n int) []byte {
	walk := newWalk()
	var times, values strings.Builder
	for i := range n {
		fmt.Fprintf(&times, "%d,", walk.time(i).UnixMilli())
		fmt.Fprintf(&values, "%v,", walk.value(0))
	}
	return fmt.Appendf(nil, `{"device":"boiler-7","metric":"temperature","times":[%s],"values":[%s]}`,
		strings.TrimSuffix(times.String(), ","), strings.TrimSuffix(values.String(), ","))
}

// walk makes values of two decimals that wander, and times ten seconds apart with some jitter.
type walk struct {
	rnd *rand.Rand
	at  [20]float64
}

func newWalk() *walk {
	w := &walk{rnd: rand.New(rand.NewPCG(1, 2))}
	for i := range w.at {
		w.at[i] = 20 + float64(i)*7
	}
	return w
}

func (w *walk) value(i int) float64 {
	w.at[i] += w.rnd.NormFloat64() * 0.2
	return math.Round(w.at[i]*100) / 100
}

func (w *walk) time(i int) time.Time {
	return time.UnixMicro(benchNow).UTC().Add(time.Duration(i-1000)*10*time.Second + time.Duration(w.rnd.IntN(300))*time.Millisecond)
}

// stdItem is what a handler would decode the same bodies into with encoding/json.
type stdItem struct {
	Device string            `json:"device"`
	Time   time.Time         `json:"time"`
	Metric string            `json:"metric"`
	Value  float64           `json:"value"`
	Labels map[string]string `json:"labels"`
	Unit   string            `json:"unit"`
}

type stdObject struct {
	Device string             `json:"device"`
	Time   time.Time          `json:"time"`
	Values map[string]float64 `json:"values"`
}

type stdColumns struct {
	Device string    `json:"device"`
	Metric string    `json:"metric"`
	Times  []int64   `json:"times"`
	Values []float64 `json:"values"`
}

func decodeStd(name string, body []byte) (err error) {
	switch name {
	case "rows":
		var items []stdItem
		err = json.Unmarshal(body, &items)
	case "objects":
		var items []stdObject
		err = json.Unmarshal(body, &items)
	case "columns":
		var item stdColumns
		err = json.Unmarshal(body, &item)
	}
	return err
}

func BenchmarkDecode(b *testing.B) {
	const n = 1000
	for _, c := range benchBodies {
		body := c.make(n)
		report := func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/n, "ns/reading")
		}
		b.Run(c.name+"/readout", func(b *testing.B) {
			var d Decoder
			opt := Options{Now: benchNow}
			for b.Loop() {
				if batch, err := d.Decode(body, opt); err != nil || len(batch.Readings) != n {
					b.Fatal(err)
				}
			}
			report(b)
		})
		b.Run(c.name+"/encoding-json", func(b *testing.B) {
			for b.Loop() {
				if err := decodeStd(c.name, body); err != nil {
					b.Fatal(err)
				}
			}
			report(b)
		})
	}
}

func TestDecodeAllocatesOnlyItsReadings(t *testing.T) {
	for _, c := range benchBodies {
		var d Decoder
		body := c.make(1000)
		var batch *reading.Batch
		if n := testing.AllocsPerRun(100, func() { batch, _ = d.Decode(body, Options{Now: benchNow}) }); n > 1 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
		if batch == nil || len(batch.Readings) != 1000 {
			t.Errorf("%s: not decoded", c.name)
		}
	}
}
