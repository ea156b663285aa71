package history

import (
	"math"
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// name names the bytes of a packed row, so that what was decoded of them holds for ever: a row that is rewritten has
// another version. Of chunks upto and part are 0.
type name struct {
	project, series, time, version, upto, part int64
}

func chunkName(project int64, k store.ChunkKey) name {
	return name{project: project, series: k.Series, time: k.First, version: k.Version}
}

// youngName has upto from 1 on, as offsets are, so that it is no chunk's.
func youngName(project int64, k store.YoungKey) name {
	return name{project, k.FirstSeries, k.First, int64(k.Version), k.Upto, int64(k.Part)}
}

// cache keeps decoded rows: those that were used last, up to a size. Safe for concurrent use; what it holds is only
// read.
type cache struct {
	max int64 // bytes

	mu           sync.Mutex
	rows         *simplelru.LRU[name, []reading.Reading]
	bytes        int64
	hits, misses int64
}

// How many bytes a reading takes, and about how many a row does beside its readings.
const (
	readingBytes = 24
	rowBytes     = 200
)

func newCache(maxBytes int64) *cache {
	c := &cache{max: maxBytes}
	c.rows, _ = simplelru.NewLRU(math.MaxInt, func(_ name, rs []reading.Reading) { c.bytes -= size(rs) }) // the size is positive
	return c
}

func size(rs []reading.Reading) int64 { return int64(len(rs))*readingBytes + rowBytes }

// takes reports whether rows of so many readings are worth keeping: not when they would push out much of the rest.
func (c *cache) takes(readings int) bool { return int64(readings)*readingBytes <= c.max/4 }

func (c *cache) get(n name) (rs []reading.Reading, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rs, ok = c.rows.Get(n); ok {
		c.hits++
	} else {
		c.misses++
	}
	return rs, ok
}

// add keeps a copy of rs.
func (c *cache) add(n name, rs []reading.Reading) {
	rs = slices.Clone(rs)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows.Contains(n) { // two readers decoded it at once
		return
	}
	c.rows.Add(n, rs)
	c.bytes += size(rs)
	for c.bytes > c.max {
		c.rows.RemoveOldest()
	}
}
