package reading

import (
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Encoders and decoders of zstd are large and slow to make, and each serves one caller at a time.
var (
	zstdEncoders = sync.Pool{New: func() any {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithAllLitEntropyCompression(true), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options are constant
		}
		return e
	}}
	zstdDecoders = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			panic(err)
		}
		return d
	}}
)

// packZstd appends src as a zstd frame to dst: of one segment, without a checksum.
func packZstd(dst, src []byte) []byte {
	e := zstdEncoders.Get().(*zstd.Encoder)
	defer zstdEncoders.Put(e)
	return e.EncodeAll(src, dst)
}

// unpackZstd appends what the zstd frame src holds to dst, at most limit bytes.
func unpackZstd(dst, src []byte, limit int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(src); err != nil || !h.HasFCS || h.FrameContentSize > uint64(limit) {
		return dst, corrupt("the zstd frame has no credible length")
	}
	dst = slices.Grow(dst, int(h.FrameContentSize))
	d := zstdDecoders.Get().(*zstd.Decoder)
	defer zstdDecoders.Put(d)
	out, err := d.DecodeAll(src, dst)
	if err != nil || len(out)-len(dst) != int(h.FrameContentSize) {
		return dst, corrupt("the zstd frame is damaged")
	}
	return out, nil
}
