package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// tidier gives memory back to the system that a time of more work has left: ten thousand clients who come at once make a lot of
// garbage, and Go would keep its room for minutes after they are all quiet.
type tidier struct{}

const (
	tidyEvery = 15 * time.Second
	quiet     = 16 << 20 // bytes allocated between two looks, below which there is little to do
	worthIt   = 24 << 20 // bytes that can be given back
)

// Run looks now and then, until ctx ends.
func (tidier) Run(ctx context.Context) error {
	look := time.NewTicker(tidyEvery)
	defer look.Stop()
	for busy := newMemory().allocated; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		m := newMemory()
		if m.allocated-busy < quiet && m.room() > worthIt {
			debug.FreeOSMemory()
		}
		busy = m.allocated
	}
}

// memory is what the runtime says of the heap, in bytes.
type memory struct{ allocated, live, objects, free uint64 }

func newMemory() memory {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	return memory{samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64(), samples[3].Value.Uint64()}
}

// room is what a collection could give back: garbage, and what is free but not given back.
func (m memory) room() uint64 { return m.free + m.objects - min(m.live, m.objects) }
