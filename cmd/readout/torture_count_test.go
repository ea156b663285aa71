//go:build linux

package main_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tally is what a count of the stored readings finds; all but acknowledged must be 0.
type tally struct {
	acknowledged int // readings that must be there
	missing      int // of them, not there
	twice        int // stored more than once
	unsent       int // stored, and never sent
	wrong        int // stored with another value than the one acknowledged last
}

func (c tally) String() string {
	return fmt.Sprintf("acknowledged=%d missing=%d twice=%d unsent=%d wrong=%d", c.acknowledged, c.missing, c.twice, c.unsent, c.wrong)
}

func (c tally) clean() bool { return c == tally{acknowledged: c.acknowledged} }

// stored is one reading as the server gives it back.
type stored struct {
	device, metric string
	at             int64
	value          float64
}

// count holds what is stored against what the gateways noted, of the times from on (µs).
func count(all []*gateway, from int64, rows func(yield func(stored) bool)) tally {
	var c tally
	seen := make([]map[place]bool, len(all))
	for i, g := range all {
		seen[i] = map[place]bool{}
		for p := range g.noted {
			if p.at >= from {
				c.acknowledged++
			}
		}
	}
	found := 0
	for row := range rows {
		g, p, ok := locate(all, row)
		if !ok {
			c.unsent++
			continue
		}
		switch want, sent := g.noted[p]; {
		case !sent:
			c.unsent++
			continue
		case seen[g.id][p]:
			c.twice++
			continue
		case row.value != want:
			c.wrong++
		}
		seen[g.id][p] = true
		found++
	}
	c.missing = c.acknowledged - found
	return c
}

func locate(all []*gateway, row stored) (*gateway, place, bool) {
	id, err := strconv.Atoi(strings.TrimPrefix(row.device, "gateway-"))
	if err != nil || id < 0 || id >= len(all) {
		return nil, place{}, false
	}
	for metric := range int8(gatewayMetrics) {
		if row.metric == metricName(metric) {
			return all[id], place{metric, row.at}, true
		}
	}
	return nil, place{}, false
}

// exported reads the readings from the time from (µs) on by GET /v1/export. What it is told to ask again for, since a
// connection to the database was cut behind the server's back, it asks for again; whatever else is wrong with the answer
// fails the test.
func exported(t *testing.T, server, key string, from int64) func(yield func(stored) bool) {
	return func(yield func(stored) bool) {
		t.Helper()
		var text []byte
		var err error
		for range 20 {
			if text, err = exportFrom(t, server, key, from); err == nil {
				break
			}
			t.Logf("export: %v; asking again", err)
			time.Sleep(100 * time.Millisecond)
		}
		if err == nil {
			err = eachRow(csv.NewReader(bytes.NewReader(text)), yield)
		}
		if err != nil {
			t.Fatalf("export: %v", err)
		}
	}
}

// exportFrom returns a whole answer; an error says that it is 503 or was cut off.
func exportFrom(t *testing.T, server, key string, from int64) ([]byte, error) {
	t.Helper()
	query := url.Values{"format": {"csv"}, "from": {time.UnixMicro(from).UTC().Format(time.RFC3339Nano)}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/v1/export?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil || resp.StatusCode == http.StatusOK:
		return text, err
	case resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		return nil, fmt.Errorf("%d %s", resp.StatusCode, text)
	}
	t.Fatalf("export: %d %s", resp.StatusCode, text)
	return nil, nil
}

func eachRow(lines *csv.Reader, yield func(stored) bool) error {
	header, err := lines.Read()
	if err != nil {
		return err
	}
	device, metric := slices.Index(header, "device"), slices.Index(header, "metric")
	at, value := slices.Index(header, "time"), slices.Index(header, "value")
	if min(device, metric, at, value) < 0 {
		return fmt.Errorf("a column is missing in the header %q", header)
	}
	lines.ReuseRecord = true
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		moment, err := time.Parse(time.RFC3339Nano, line[at])
		if err != nil {
			return err
		}
		v, err := strconv.ParseFloat(line[value], 64)
		if err != nil {
			return err
		}
		if !yield(stored{strings.Clone(line[device]), strings.Clone(line[metric]), moment.UnixMicro(), v}) {
			return nil
		}
	}
}

// checkStored counts what the server at url gives back of the times from since on, and has its database verified, whose
// embedded server works in dir.
func checkStored(t *testing.T, all []*gateway, url, key, dir string, since time.Time) tally {
	t.Helper()
	from := max(0, since.UnixMicro())
	c := count(all, from, exported(t, url, key, from))
	if !c.clean() {
		t.Errorf("the count is wrong: %s", c)
	}
	cmd := exec.Command(binary, "verify", "--json", "--data-dir", dir)
	cmd.Env = environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	return c
}

func TestCountFindsEachFault(t *testing.T) {
	t.Parallel()
	all := []*gateway{{id: 0, noted: map[place]float64{{0, 10}: 1, {1, 10}: 2, {1, 20}: 3}}}
	right := []stored{{"gateway-0", "m0", 10, 1}, {"gateway-0", "m1", 10, 2}, {"gateway-0", "m1", 20, 3}}
	with := func(more ...stored) []stored { return append(slices.Clone(right), more...) }
	for _, c := range []struct {
		what string
		from int64
		rows []stored
		want tally
	}{
		{"all is well", 0, right, tally{acknowledged: 3}},
		{"only the later ones are asked for", 20, right[2:], tally{acknowledged: 1}},
		{"one is missing", 0, right[1:], tally{acknowledged: 3, missing: 1}},
		{"one is there twice", 0, with(right[0]), tally{acknowledged: 3, twice: 1}},
		{"one is of a time that was never sent", 0, with(stored{"gateway-0", "m0", 11, 1}), tally{acknowledged: 3, unsent: 1}},
		{"one is of a device that was never there", 0, with(stored{"gateway-1", "m0", 10, 1}), tally{acknowledged: 3, unsent: 1}},
		{"one has another's value", 0, []stored{{"gateway-0", "m0", 10, 2}, right[1], right[2]}, tally{acknowledged: 3, wrong: 1}},
	} {
		got := count(all, c.from, slices.Values(c.rows))
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.what, got, c.want)
		}
		if got.clean() != (c.want == tally{acknowledged: c.want.acknowledged}) {
			t.Errorf("%s: clean() is %t", c.what, got.clean())
		}
	}
}
