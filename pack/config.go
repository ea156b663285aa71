package pack

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Config sets how a Packer works; its zero value is right for one server process.
type Config struct {
	// Every is how long an entry waits to be packed at most, while there is nothing wrong; 0 = 1 minute.
	Every time.Duration
	// MaxUnpacked is how many unpacked readings of all projects together start packing at once, the project with most of
	// them first; 0 = 1,000,000.
	MaxUnpacked int
	// StartPause is how long Run waits at first, but no longer than Every: a server that starts loads what is unpacked of the
	// projects that it is asked for, while they wait, and packing the same entries would take the processor from that;
	// 0 = 5 seconds.
	StartPause time.Duration
	// SettleEvery is how often Run looks for days to settle; 0 = 1 hour.
	SettleEvery time.Duration
	// SettleLate is how long after late readings were packed their days are settled again; 0 = 5 minutes.
	SettleLate time.Duration
	// Packed is told after each commit that project is packed up to an offset; nil tells nobody. It must not wait for long.
	Packed  func(project, upto int64)
	Log     *slog.Logger          // nil = nobody
	Metrics prometheus.Registerer // nil = nobody

	Sizes Sizes
}

// Sizes are the measures of what is written. They may change from one start to the next; their zero value is right.
type Sizes struct {
	Batch   int // readings that one transaction packs at most, give or take an entry; 0 = 2,000,000
	Row     int // readings of a young row at most; 0 = 4,000
	Runs    int // runs of a day that are merged into one; 0 = 24
	Merge   int // readings of a block that are merged at once; 0 = 8,000,000
	Chunk   int // readings of a chunk, about: from half of it to half as many again; 0 = 1,000
	Stretch int // readings that are decoded at once while a day is settled, about; 0 = 65,536
}

func (c Config) withDefaults() Config {
	c.Every = cmp.Or(c.Every, time.Minute)
	c.MaxUnpacked = cmp.Or(c.MaxUnpacked, 1_000_000)
	c.StartPause = cmp.Or(c.StartPause, 5*time.Second)
	c.SettleEvery = cmp.Or(c.SettleEvery, time.Hour)
	c.SettleLate = cmp.Or(c.SettleLate, 5*time.Minute)
	if c.Packed == nil {
		c.Packed = func(int64, int64) {}
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	s := &c.Sizes
	s.Batch = cmp.Or(s.Batch, 2_000_000)
	s.Row = cmp.Or(s.Row, 4000)
	s.Runs = cmp.Or(s.Runs, 24)
	s.Merge = cmp.Or(s.Merge, 8_000_000)
	s.Chunk = cmp.Or(s.Chunk, 1000)
	s.Stretch = cmp.Or(s.Stretch, 1<<16)
	return c
}

// few is how many readings of a series are too few for chunks of its own while its month lasts.
func (s Sizes) few() int { return s.Chunk / 2 }
