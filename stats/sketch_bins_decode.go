package stats

import (
	"encoding/binary"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/encoding"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// mergeBins adds to bins what DDSketch.Encode has written, without a mapping, to src: so many readings, or src is corrupt.
// It reads what DDSketch's own decoder does in a third of the time, as it is called for each day of each series of a question,
// and it trusts nothing: neither bins that no value has, which would take any amount of memory, nor counts that are none.
func mergeBins(into *ddsketch.DDSketch, src []byte, count float64) error {
	d := binDecoder{src: src}
	for len(d.src) > 0 && !d.broken {
		flag, _ := encoding.DecodeFlag(&d.src) // there is a byte
		if flag == encoding.FlagZeroCountVarFloat {
			if zeros := d.count(); zeros > 0 && !d.broken {
				add(into, 0, zeros)
			}
			continue
		}
		switch flag.Type() {
		case encoding.FlagTypePositiveStore:
			d.bins(into.GetPositiveValueStore().(*store.DenseStore), flag.SubFlag())
		case encoding.FlagTypeNegativeStore:
			d.bins(into.GetNegativeValueStore().(*store.DenseStore), flag.SubFlag())
		default:
			d.broken = true
		}
	}
	if d.broken || d.total != count {
		return corrupt("bins are out of range, or not all there")
	}
	return nil
}

// binDecoder reads from src until it is broken.
type binDecoder struct {
	src    []byte
	total  float64 // of the counts read
	broken bool
}

// bins adds the bins of a store.
func (d *binDecoder) bins(into *store.DenseStore, how encoding.SubFlag) {
	n := d.uvarint()
	if n > uint64(len(d.src)) { // each takes a byte at least
		d.broken = true
		return
	}
	switch how {
	case encoding.BinEncodingContiguousCounts:
		index, step := d.varint(), d.varint()
		for ; n > 0 && !d.broken; n-- {
			d.add(into, index, d.count())
			index += step
		}
	case encoding.BinEncodingIndexDeltasAndCounts:
		for index := int64(0); n > 0 && !d.broken; n-- {
			index += d.varint()
			d.add(into, index, d.count())
		}
	case encoding.BinEncodingIndexDeltas:
		for index := int64(0); n > 0 && !d.broken; n-- {
			index += d.varint()
			d.total++
			d.add(into, index, 1)
		}
	default:
		d.broken = true
	}
}

func (d *binDecoder) add(into *store.DenseStore, index int64, count float64) {
	if index < int64(lowestBin) || index > int64(highestBin) {
		d.broken = true
	}
	if !d.broken {
		into.AddWithCount(int(index), count)
	}
}

// count reads a number of readings, which may be none.
func (d *binDecoder) count() float64 {
	count := -1.0
	if len(d.src) > 0 && d.src[0] < 0x80 {
		count = shortCounts[d.src[0]]
		d.src = d.src[1:]
	} else if long, err := encoding.DecodeVarfloat64(&d.src); err == nil && credible(long) {
		count = long
	}
	if count < 0 {
		d.broken = true
		return 0
	}
	d.total += count
	return count
}

// shortCounts are the counts that are encoded as one byte, by this byte; -1 for those that no readings have.
var shortCounts = decodeShortCounts()

func decodeShortCounts() (counts [0x80]float64) {
	for b := range counts {
		src := []byte{byte(b)}
		count, err := encoding.DecodeVarfloat64(&src)
		if err != nil || count != 0 && !credible(count) {
			count = -1
		}
		counts[b] = count
	}
	return counts
}

func (d *binDecoder) varint() int64 {
	v, width := binary.Varint(d.src)
	d.skip(width)
	return v
}

func (d *binDecoder) uvarint() uint64 {
	v, width := binary.Uvarint(d.src)
	d.skip(width)
	return v
}

func (d *binDecoder) skip(width int) {
	if width <= 0 {
		d.broken = true
		return
	}
	d.src = d.src[width:]
}
