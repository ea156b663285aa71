package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/readout-dev/readout/ingest"
)

// batchSize is the readings of a request in all scenarios.
const batchSize = 1000

// The three shapes of a body, as structs for encoding/json.
type (
	rowShape struct {
		Device, Metric, Unit string
		Time                 time.Time
		Value                float64
		Labels               map[string]string
	}
	objectShape struct {
		Device string
		Time   time.Time
		Values map[string]float64
	}
	columnShape struct {
		Device, Metric string
		Times          []int64
		Values         []float64
	}
)

// runDecodeJSON decodes each shape by turns with both decoders; the ratio is the worst of the three.
func runDecodeJSON(_ context.Context, quick bool) (result, error) {
	rounds := 15
	if quick {
		rounds = 5
	}
	r := result{header: []string{"shape", "bytes", "readout µs", "encoding/json µs", "ratio"}, ratio: math.Inf(1)}
	for _, c := range []struct {
		name string
		body []byte
		std  func([]byte) error
	}{
		{"rows", rowsBody(batchSize), into[[]rowShape]},
		{"objects", objectsBody(batchSize), into[[]objectShape]},
		{"columns", columnsBody(batchSize), into[columnShape]},
	} {
		var ours, theirs []time.Duration
		d := new(ingest.Decoder)
		for range rounds { // by turns, so that what disturbs the machine disturbs both
			took, err := timed(50, func() error {
				batch, err := d.Decode(c.body, ingest.Options{Now: time.Now().UnixMicro(), Max: ingest.MaxReadings})
				if err == nil && len(batch.Readings) != batchSize {
					err = fmt.Errorf("decoded %d readings", len(batch.Readings))
				}
				return err
			})
			if err != nil {
				return r, err
			}
			ours = append(ours, took)
			if took, err = timed(5, func() error { return c.std(c.body) }); err != nil {
				return r, err
			}
			theirs = append(theirs, took)
		}
		a, b := median(ours), median(theirs)
		ratio := float64(b) / float64(a)
		r.ratio = min(r.ratio, ratio)
		r.rows = append(r.rows, []string{c.name, fmt.Sprint(len(c.body)), micros(a), micros(b), fmt.Sprintf("%.1f", ratio)})
		r.keys = append(r.keys, fmt.Sprintf("%s=%.1f", c.name, ratio))
	}
	return r, nil
}

func into[T any](body []byte) error {
	var v T
	return json.Unmarshal(body, &v)
}

// timed returns how long f takes, over n calls.
func timed(n int, f func() error) (time.Duration, error) {
	start := time.Now()
	for range n {
		if err := f(); err != nil {
			return 0, err
		}
	}
	return time.Since(start) / time.Duration(n), nil
}

func median(d []time.Duration) time.Duration { return quantile(d, 0.5) }

func quantile(d []time.Duration, q float64) time.Duration {
	d = slices.Clone(d)
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))]
}

func micros(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/float64(time.Microsecond)) }

// gauge is a plausible reading: two decimals around 20.
func gauge(i int) float64 { return math.Round(2000+500*math.Sin(float64(i)/50)+float64(i%7)) / 100 }

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func rowsBody(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `%c{"device":"boiler-%d","time":"%s","metric":"temperature","value":%v,"unit":"Cel"}`,
			"[,"[min(i, 1)], i%10, start.Add(time.Duration(i)*time.Second).Format(time.RFC3339), gauge(i))
	}
	return append(b.Bytes(), ']')
}

func objectsBody(n int) []byte {
	var b bytes.Buffer
	for i := range n / 4 {
		fmt.Fprintf(&b, `%c{"device":"boiler-%d","time":"%s","values":{"temperature":%v,"humidity":%v,"pressure":%v,"flow":%v}}`,
			"[,"[min(i, 1)], i%10, start.Add(time.Duration(i)*time.Second).Format(time.RFC3339), gauge(i), gauge(i+1), gauge(i+2), gauge(i+3))
	}
	return append(b.Bytes(), ']')
}

func columnsBody(n int) []byte {
	var times, values bytes.Buffer
	for i := range n {
		if i > 0 {
			times.WriteByte(',')
			values.WriteByte(',')
		}
		fmt.Fprint(&times, start.UnixMilli()+int64(i)*1000)
		fmt.Fprint(&values, gauge(i))
	}
	return fmt.Appendf(nil, `{"device":"boiler-1","metric":"temperature","times":[%s],"values":[%s]}`, times.Bytes(), values.Bytes())
}
