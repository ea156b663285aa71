package main

import (
	"slices"
	"strconv"
)

// importBatch is the readings of one request: of any series, in the order of the file.
type importBatch struct {
	id     uint64 // never twice
	first  int    // line of the first reading
	last   int
	series []*importSeries
	points []importPoint
	text   []byte // the values, as JSON writes them
	heads  int    // bytes of the series' heads

	body  []byte
	order []int32
	ends  []int32
}

// importPoint is a reading of a batch.
type importPoint struct {
	time  int64 // microseconds since 1970
	place int32 // of its series in the batch
	start int32 // of its value in the text
}

// add adds a reading.
func (b *importBatch) add(s *importSeries, line int, time int64, value []byte) {
	if len(b.points) == 0 {
		b.first = line
	}
	if s.batch != b.id {
		s.batch, s.place = b.id, len(b.series)
		b.series = append(b.series, s)
		b.heads += len(s.head) + len(importBetween) + 3
	}
	b.points = append(b.points, importPoint{time: time, place: int32(s.place), start: int32(len(b.text))})
	b.text = append(b.text, value...)
	b.last = line
}

// size returns how long the body will be at most, in bytes.
func (b *importBatch) size() int { return b.heads + len(b.text) + len(b.points)*21 }

// reset empties the batch for another use.
func (b *importBatch) reset(id uint64) {
	*b = importBatch{id: id, series: b.series[:0], points: b.points[:0], text: b.text[:0], body: b.body, order: b.order, ends: b.ends}
}

// encode returns the body: an object for each series, with its times and values in the order of the file, one a line.
func (b *importBatch) encode() []byte {
	b.group()
	body, start := b.body[:0], int32(0)
	for place, s := range b.series {
		group := b.order[start:b.ends[place]]
		start = b.ends[place]
		body = append(body, s.head...)
		for i, p := range group {
			if i > 0 {
				body = append(body, ',')
			}
			body = strconv.AppendInt(body, b.points[p].time, 10)
		}
		body = append(body, importBetween...)
		for i, p := range group {
			if i > 0 {
				body = append(body, ',')
			}
			body = append(body, b.value(int(p))...)
		}
		body = append(body, "]}\n"...)
	}
	b.body = body
	return body
}

// group sorts the points by series, each series' in their order: order holds their numbers, ends where each series' end.
func (b *importBatch) group() {
	b.ends = slices.Grow(b.ends[:0], len(b.series))[:len(b.series)]
	b.order = slices.Grow(b.order[:0], len(b.points))[:len(b.points)]
	clear(b.ends)
	for i := range b.points {
		b.ends[b.points[i].place]++
	}
	var at int32
	for i, n := range b.ends {
		b.ends[i], at = at, at+n
	}
	for i := range b.points {
		end := &b.ends[b.points[i].place]
		b.order[*end] = int32(i)
		*end++
	}
}

func (b *importBatch) value(point int) []byte {
	if point+1 < len(b.points) {
		return b.text[b.points[point].start:b.points[point+1].start]
	}
	return b.text[b.points[point].start:]
}
