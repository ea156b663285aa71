package history

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/readout-dev/readout/reading"
)

func TestCacheKeepsWhatWasUsedLastUpToItsSize(t *testing.T) {
	t.Parallel()
	row := make([]reading.Reading, 100)
	c := newCache(3 * size(row))
	for i := range int64(3) {
		c.add(name{series: i}, row)
	}
	c.get(name{series: 0})
	c.add(name{series: 3}, row)
	c.add(name{series: 3}, row)
	for series, want := range []bool{true, false, true, true} {
		if _, ok := c.get(name{series: int64(series)}); ok != want {
			t.Errorf("row %d is kept: %v", series, ok)
		}
	}
	if c.bytes != c.max {
		t.Errorf("the cache says that it takes %d bytes, want %d", c.bytes, c.max)
	}
	if c.takes(1000) || !c.takes(50) {
		t.Error("a read that would push out most of the rest is kept, or a small one is not")
	}
	registry := prometheus.NewRegistry()
	newMetrics(registry, c)
	err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP readout_history_cache_hits_total Packed rows found decoded.
# TYPE readout_history_cache_hits_total counter
readout_history_cache_hits_total 4
# HELP readout_history_cache_misses_total Packed rows not found decoded.
# TYPE readout_history_cache_misses_total counter
readout_history_cache_misses_total 1
`), "readout_history_cache_hits_total", "readout_history_cache_misses_total")
	if err != nil {
		t.Error(err)
	}
}

func TestCacheKeepsACopy(t *testing.T) {
	t.Parallel()
	c := newCache(1000)
	row := []reading.Reading{{Series: 1, Time: 2, Value: 3}}
	c.add(name{}, row)
	row[0].Value = 4
	if got, _ := c.get(name{}); got[0].Value != 3 {
		t.Errorf("got %v", got)
	}
}
