package journal

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/reading"
)

// Config sets the limits of a Journal; its zero value is right for one server process.
type Config struct {
	MaxQueued     int           // readings that may wait for their commit, in all; 0 = 200,000
	MaxFlush      int           // readings in one commit, unless a single append has more; 0 = 20,000, at most reading.MaxEntry
	MaxFlushBytes int           // the same in bytes before compression, 24 a reading; 0 = 1,000,000
	RetryFor      time.Duration // how long appends wait for a database that went away, from then on; 0 = 5 s
	DrainFor      time.Duration // how long Run goes on storing what is queued when its context has ended; 0 = 10 s

	Log     *slog.Logger          // nil = nobody is told
	Metrics prometheus.Registerer // nil = not registered; one Journal per registry
}

// bytesPerReading bounds what a reading takes in an entry before compression: series, time and value.
const bytesPerReading = 24

func (c Config) withDefaults() Config {
	c.MaxQueued = cmp.Or(c.MaxQueued, 200_000)
	c.MaxFlush = cmp.Or(c.MaxFlush, 20_000)
	c.MaxFlushBytes = cmp.Or(c.MaxFlushBytes, 1_000_000)
	c.RetryFor = cmp.Or(c.RetryFor, 5*time.Second)
	c.DrainFor = cmp.Or(c.DrainFor, 10*time.Second)
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	return c
}

// flushReadings is how many readings one commit takes.
func (c Config) flushReadings() int {
	return min(c.MaxFlush, c.MaxFlushBytes/bytesPerReading, reading.MaxEntry)
}
