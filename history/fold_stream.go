package history

import (
	"context"
	"slices"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// stream folds s: each quiet chunk as it is, on the goroutines of the takers, while the next ones come from the database; what
// is left when these are through.
func (f *fold) stream(ctx context.Context, s *sight, takers []taker) error {
	room := f.reader.takeRoom()
	defer f.reader.leaveRoom(room)
	crew, ctx := newCrew(ctx, s.q)
	for _, take := range takers {
		crew.employ(f.reader, take)
	}
	p := f.reader.split(s, crew, room)
	err := p.read(ctx, f.reader)
	if stopped := crew.wait(); stopped != nil {
		err = stopped // which is why there was no reading on
	}
	if err != nil {
		return err
	}
	found, err := p.rest.finish()
	if err != nil {
		return err
	}
	takers[0](found.series[0])
	f.reader.metrics.readings.Add(float64(int64(found.count) + crew.count.Load()))
	return nil
}

// split reads what s sees: quiet chunks go to the crew, and rest merges all else.
type split struct {
	*sight
	cache *cache
	crew  *crew
	rest  *merger
	loud  []int // the places of rest's chunks
}

func (r *Reader) split(s *sight, c *crew, room *room) *split {
	p := &split{sight: s, cache: r.cache, crew: c}
	left := &store.Packed{Young: s.packed.Young}
	for i, k := range s.packed.Chunks {
		if !s.quiet(k) {
			p.loud, left.Chunks = append(p.loud, i), append(left.Chunks, k)
		}
	}
	p.rest = newMerger(s.q, s.held, left, room)
	return p
}

// read gives the crew and rest what they need.
func (p *split) read(ctx context.Context, r *Reader) error {
	chunks, young, missing := r.lookUp(p.rest) // of rest
	for n, place := range chunks {
		chunks[n] = p.loud[place]
	}
	quiet, more, err := p.lookUpQuiet()
	if err != nil {
		return err
	}
	keep := func(name, []reading.Reading) {}
	if p.cache.takes(missing + more) {
		keep = p.cache.add
	}
	p.crew.keep, p.rest.keep = keep, keep
	chunks = append(chunks, quiet...)
	slices.Sort(chunks)
	r.metrics.rows.Add(float64(len(chunks) + len(young)))
	var failed error // what is ours comes back as it is; what the database says is to be translated
	err = p.packed.Read(ctx,
		chunks, func(i int, payload []byte) error { failed = p.useChunk(i, payload); return failed },
		young, func(i int, payload []byte) error { failed = p.rest.decodeYoung(i, payload); return failed },
	)
	if failed != nil {
		return failed
	}
	return store.Fault(err)
}

// lookUpQuiet gives the crew the quiet chunks that the cache holds, and returns the places of the others and how many readings
// those have.
func (p *split) lookUpQuiet() (places []int, missing int, err error) {
	for i, k := range p.packed.Chunks {
		if k.Last < p.q.from || k.First >= p.q.to || !p.quiet(k) {
			continue
		}
		if rs, ok := p.cache.get(chunkName(p.q.project, k)); !ok {
			places, missing = append(places, i), missing+k.Count
		} else if err := p.crew.hand(row{key: k, decoded: true, readings: rs}); err != nil {
			return nil, 0, err
		}
	}
	return places, missing, nil
}

// useChunk takes the chunk at place i; places come in ascending order.
func (p *split) useChunk(i int, payload []byte) error {
	if at, loud := slices.BinarySearch(p.loud, i); loud {
		return p.rest.decodeChunk(at, payload)
	}
	return p.crew.hand(row{key: p.packed.Chunks[i], payload: payload})
}
