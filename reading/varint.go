package reading

import "encoding/binary"

// zigzag maps small numbers of either sign to small unsigned ones.
func zigzag(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) }

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// appendUvarint is binary.AppendUvarint with the short cases, which are nearly all, inlined.
func appendUvarint(b []byte, v uint64) []byte {
	switch {
	case v < 1<<7:
		return append(b, byte(v))
	case v < 1<<14:
		return append(b, byte(v)|0x80, byte(v>>7))
	}
	return binary.AppendUvarint(b, v)
}

// uvarint reads a varint at b[p] and returns where the next one begins, or -1 when there is none.
func uvarint(b []byte, p int) (uint64, int) {
	if p+1 < len(b) {
		lo := uint64(b[p])
		if lo < 0x80 {
			return lo, p + 1
		}
		if hi := uint64(b[p+1]); hi < 0x80 {
			return lo&0x7f | hi<<7, p + 2
		}
	}
	return uvarintSlow(b, p)
}

func uvarintSlow(b []byte, p int) (uint64, int) {
	v, n := binary.Uvarint(b[p:])
	if n <= 0 {
		return 0, -1
	}
	return v, p + n
}

// skipUvarint returns where the varint after the one at b[p] begins, or -1.
func skipUvarint(b []byte, p int) int {
	_, p = uvarint(b, p)
	return p
}
