package pack

import (
	"context"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// feedPage is how many chunks feed reads at once.
const feedPage = 64

// feed reads chunks: those that come one after the other, as they do when a day's rollups are computed, a page at a time.
type feed struct {
	out     *output
	ahead   bool
	skipped bool             // not all keys are wanted, so no page goes beyond a series
	keys    []store.ChunkKey // not read yet
	page    []fed
}

type fed struct {
	version  int64
	readings []reading.Reading
}

// begin prepares for keys, which will be loaded in their order, and of each series all or none, if ahead.
func (f *feed) begin(out *output, keys []store.ChunkKey, ahead bool) {
	*f = feed{out: out, keys: keys, ahead: ahead}
}

// load appends the readings of a chunk to dst.
func (f *feed) load(ctx context.Context, dst []reading.Reading, key store.ChunkKey) ([]reading.Reading, error) {
	if !f.ahead {
		return f.out.load(ctx, dst, key)
	}
	for len(f.page) > 0 || f.advance(key) {
		if len(f.page) == 0 {
			if err := f.turn(ctx); err != nil {
				return dst, err
			}
		}
		for len(f.page) > 0 {
			first := f.page[0]
			f.page = f.page[1:]
			if first.version == key.Version {
				return append(dst, first.readings...), nil
			}
		}
	}
	return f.out.load(ctx, dst, key)
}

// advance drops the keys before key; it returns false when key is not among them.
func (f *feed) advance(key store.ChunkKey) bool {
	for len(f.keys) > 0 && f.keys[0].Version != key.Version {
		f.keys, f.skipped = f.keys[1:], true
	}
	return len(f.keys) > 0
}

// turn reads the next page.
func (f *feed) turn(ctx context.Context) error {
	n := min(len(f.keys), feedPage)
	if f.skipped {
		n = min(n, searchChunks(f.keys, f.keys[0].Series+1))
	}
	keys := f.keys[:n]
	f.keys = f.keys[len(keys):]
	f.page = make([]fed, len(keys))
	return store.ReadChunks(ctx, f.out.tx, f.out.project, keys, func(i int, payload []byte) error {
		rs, err := decodeChunk(nil, keys[i], payload)
		f.page[i] = fed{keys[i].Version, rs}
		return err
	})
}
