package reading

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// The bytes of an entry of deletions, version 1. Integers are LEB128 varints; differences are signed (zigzag) and wrap
// around, so that a device's series that go together take three bytes each.
//
//	version    1 byte    1
//	checksum   4 bytes   CRC-32C of everything after it, little-endian
//	count      varint    deletions in the entry
//	deletions            each: series, from and to - from, as the difference to those of the one before (the first: to 0)
const (
	deletionsVersion1  = 1
	deletionsHeaderLen = 5 // version and checksum
)

// MaxDeletions is how many deletions one entry holds at most.
const MaxDeletions = 100_000

// EncodeDeletions appends the bytes of an entry that holds ds, in their order, to dst and returns the extended slice. It
// panics when there are more than MaxDeletions. Safe for concurrent use.
func EncodeDeletions(dst []byte, ds []Deletion) []byte {
	if len(ds) > MaxDeletions {
		panic(fmt.Sprintf("reading: %d deletions in one entry, at most %d", len(ds), MaxDeletions))
	}
	start := len(dst)
	dst = append(dst, deletionsVersion1, 0, 0, 0, 0)
	dst = binary.AppendUvarint(dst, uint64(len(ds)))
	var last Deletion
	for _, d := range ds {
		dst = binary.AppendVarint(dst, d.Series-last.Series)
		dst = binary.AppendVarint(dst, d.From-last.From)
		dst = binary.AppendVarint(dst, (d.To-d.From)-(last.To-last.From))
		last = d
	}
	sum := crc32.Checksum(dst[start+deletionsHeaderLen:], castagnoli)
	binary.LittleEndian.PutUint32(dst[start+1:], sum)
	return dst
}

// DecodeDeletions returns the deletions of the entry src in their order. Damaged, missing or trailing bytes give an error
// that wraps ErrCorrupt. Whatever src holds, it does not panic, and takes at most 8 bytes for each byte of src. Safe for
// concurrent use.
func DecodeDeletions(src []byte) ([]Deletion, error) {
	count, at, err := deletionsHead(src)
	if err != nil {
		return nil, err
	}
	b, p := src[at:], 0
	ds := make([]Deletion, count)
	var last Deletion
	for i := range ds {
		var series, from, width int64
		if series, p = varint(b, p); p < 0 {
			return nil, corrupt("deletions are missing")
		}
		if from, p = varint(b, p); p < 0 {
			return nil, corrupt("a deletion's range is missing")
		}
		if width, p = varint(b, p); p < 0 {
			return nil, corrupt("a deletion's range is missing")
		}
		d := Deletion{Series: last.Series + series, From: last.From + from}
		d.To = d.From + (last.To - last.From) + width
		ds[i], last = d, d
	}
	if p != len(b) {
		return nil, corrupt("bytes after the end")
	}
	return ds, nil
}

// deletionsHead returns the count of deletions and where they begin.
func deletionsHead(src []byte) (count, at int, err error) {
	if len(src) < deletionsHeaderLen+1 {
		return 0, 0, corrupt("%d bytes are too few", len(src))
	}
	if src[0] != deletionsVersion1 {
		return 0, 0, corrupt("format version %d of deletions is unknown", src[0])
	}
	if crc32.Checksum(src[deletionsHeaderLen:], castagnoli) != binary.LittleEndian.Uint32(src[1:]) {
		return 0, 0, corrupt("the checksum does not match")
	}
	n, width := binary.Uvarint(src[deletionsHeaderLen:])
	at = deletionsHeaderLen + width
	if width <= 0 || n > MaxDeletions || 3*int(n) > len(src)-at {
		return 0, 0, corrupt("the count of deletions is missing or too large")
	}
	return int(n), at, nil
}

func varint(b []byte, p int) (int64, int) {
	u, p := uvarint(b, p)
	return unzigzag(u), p
}
