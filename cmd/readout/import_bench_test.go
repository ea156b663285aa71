package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ackAll is a server that stores nothing, and nearly free.
type ackAll struct{}

func (ackAll) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"accepted":1}`))}, err
}

// BenchmarkImport is what the command itself costs: a line from the file to the body of a request.
func BenchmarkImport(b *testing.B) {
	const series, times = 1000, 500
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var csv bytes.Buffer
	csv.WriteString("device,metric,labels,unit,time,value\n")
	for t := range times {
		at := start.Add(time.Duration(t) * time.Second).Format(time.RFC3339)
		for s := range series {
			fmt.Fprintf(&csv, "boiler-%d,temperature,\"{\"\"room\"\":\"\"%d\"\"}\",Cel,%s,%d.%02d\n", s/4, s%4, at, 20+s%7, t%100)
		}
	}
	file := filepath.Join(b.TempDir(), "readings.csv")
	if err := os.WriteFile(file, csv.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(csv.Len()))
	for b.Loop() {
		c := importCmd{Files: []string{file}, URL: "http://readout.test", Key: "rd_key", Zone: "UTC", TimeColumn: "1", Connections: 4, Batch: 10_000, Quiet: true}
		err := c.run(b.Context(), console{out: io.Discard, err: io.Discard}, replayWorld{
			http: &http.Client{Transport: ackAll{}}, cache: func() (string, error) { return b.TempDir(), nil },
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*series*times/b.Elapsed().Seconds()/1e6, "Mreadings/s")
}
