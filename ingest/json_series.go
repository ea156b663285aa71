package ingest

import (
	"hash/maphash"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// maxInterned is how many series a decoder remembers from one body to the next; beyond it, it starts anew.
const maxInterned = 1 << 15

// seriesTable finds the place of a series in the batch from what its object says, without allocating for series that
// this or an earlier body named: a hash table with open addressing, whose entries stay while their places in a batch are
// given anew for each body.
type seriesTable struct {
	seed    maphash.Seed
	slots   []int32 // place in entries plus 1, or 0; a power of two, at most half full
	entries []internedSeries

	body   uint64           // counts bodies
	item   uint64           // counts items, over all bodies
	before uint64           // how many of these came before this body
	last   int32            // the entry that was asked for last
	named  []reading.Series // the batch's series
	items  []int            // by which item of the body each was named first
	places []int32          // their entries

	namedBefore, readingsBefore int // how many there were when the item began
}

type internedSeries struct {
	reading.Series
	hash  uint64
	body  uint64 // the body that last named it
	item  uint64 // the item that last named it
	place int32  // in that body's batch
	next  int32  // the entry that was asked for after this one, last time
}

// name is what an object says of a series.
type name struct{ device, metric, labels, unit []byte }

func (t *seriesTable) begin() {
	if len(t.entries) > maxInterned {
		*t = seriesTable{seed: t.seed, body: t.body, item: t.item}
	}
	if t.slots == nil {
		if t.seed == (maphash.Seed{}) {
			t.seed = maphash.MakeSeed()
		}
		t.slots = make([]int32, 256)
	}
	t.body++
	t.before = t.item
	t.last = 0
	t.named, t.items, t.places = t.named[:0], t.items[:0], t.places[:0]
}

// beginItem begins an item, before which the batch has the given number of readings.
func (t *seriesTable) beginItem(readings int) {
	t.item++
	t.namedBefore, t.readingsBefore = len(t.named), readings
}

// undo takes the series back that the current item was the first to name, and returns how many readings the batch had
// before it.
func (t *seriesTable) undo() (readings int) {
	for _, e := range t.places[t.namedBefore:] {
		t.entries[e].body = 0
	}
	t.named, t.items, t.places = t.named[:t.namedBefore], t.items[:t.namedBefore], t.places[:t.namedBefore]
	return t.readingsBefore
}

// place returns the place of the series in the batch, and whether the current item has named it before. A series that
// may not be stored is refused.
func (t *seriesTable) place(n *name) (place int32, again bool, f *fault.Error) {
	i, f := t.entry(n)
	if f != nil {
		return 0, false, f
	}
	e := &t.entries[i]
	if e.body != t.body {
		e.body, e.place = t.body, int32(len(t.named))
		t.named = append(t.named, e.Series)
		t.items = append(t.items, int(t.item-t.before)-1)
		t.places = append(t.places, i)
	}
	again, e.item = e.item == t.item, t.item
	return e.place, again, nil
}

// entry returns the entry of a series and makes it if there is none.
func (t *seriesTable) entry(n *name) (int32, *fault.Error) {
	if len(t.entries) > 0 {
		// Devices send their series in the same order again and again: look there first.
		last := &t.entries[t.last]
		if i := last.next; t.entries[i].is(n) {
			t.last = i
			return i, nil
		}
	}
	h := t.hash(n)
	slot := h & uint64(len(t.slots)-1)
	for ; t.slots[slot] != 0; slot = (slot + 1) & uint64(len(t.slots)-1) {
		if i := t.slots[slot] - 1; t.entries[i].hash == h && t.entries[i].is(n) {
			t.follow(i)
			return i, nil
		}
	}
	s := n.series()
	if err := s.Check(); err != nil {
		return 0, fault.Of(err)
	}
	t.entries = append(t.entries, internedSeries{Series: s, hash: h})
	i := int32(len(t.entries) - 1)
	t.slots[slot] = i + 1
	t.follow(i)
	if 2*len(t.entries) > len(t.slots) {
		t.grow()
	}
	return i, nil
}

// follow notes that entry i was asked for after the last one.
func (t *seriesTable) follow(i int32) {
	t.entries[t.last].next = i
	t.last = i
}

func (t *seriesTable) grow() {
	t.slots = make([]int32, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for i := range t.entries {
		slot := t.entries[i].hash & mask
		for t.slots[slot] != 0 {
			slot = (slot + 1) & mask
		}
		t.slots[slot] = int32(i + 1)
	}
}

func (t *seriesTable) hash(n *name) uint64 {
	h := uint64(0)
	for _, part := range [...][]byte{n.device, n.metric, n.labels, n.unit} {
		// Odd, so that nothing is lost; the parts' hashes are seeded, so that nobody can aim at one slot.
		h = h*0x9e37_79b9_7f4a_7c15 ^ maphash.Bytes(t.seed, part)
	}
	return h
}

func (e *internedSeries) is(n *name) bool {
	return string(n.metric) == e.Metric && string(n.device) == e.Device &&
		string(n.labels) == string(e.Labels) && string(n.unit) == e.Unit
}

// series returns the series named, in one allocation of its own.
func (n *name) series() reading.Series {
	device, metric := len(n.device), len(n.device)+len(n.metric)
	labels := metric + len(n.labels)
	all := make([]byte, 0, labels+len(n.unit))
	all = append(append(append(append(all, n.device...), n.metric...), n.labels...), n.unit...)
	s := string(all)
	return reading.Series{Device: s[:device], Metric: s[device:metric], Labels: reading.Labels(s[metric:labels]), Unit: s[labels:]}
}
