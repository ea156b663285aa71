package ingest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/readout-dev/readout/internal/fault"
)

// MaxBody is the largest body that is read, in bytes, as sent and again as decompressed.
const MaxBody = 16 << 20

// body is a request's body in a buffer that goes back to a pool.
type body struct {
	buffer *bytes.Buffer
	bytes  []byte
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxKept is the largest buffer that goes back to the pool: a few large requests should not hold memory for ever.
const maxKept = 1 << 20

func (b body) release() {
	if b.buffer.Cap() <= maxKept {
		buffers.Put(b.buffer)
	}
}

// readBody reads and decompresses the body. Faults: TooLarge, MediaType, BadRequest for a body that breaks off.
func readBody(w http.ResponseWriter, r *http.Request) (body, error) {
	if err := checkMediaType(r.Header.Get("Content-Type")); err != nil {
		return body{}, err
	}
	from, done, err := decompressed(http.MaxBytesReader(w, r.Body, MaxBody), r.Header.Values("Content-Encoding"))
	if err != nil {
		return body{}, err
	}
	defer done()
	buffer := buffers.Get().(*bytes.Buffer)
	buffer.Reset()
	if n := r.ContentLength; n > 0 && n <= MaxBody {
		buffer.Grow(int(n) + bytes.MinRead) // ReadFrom wants room to find the end
	}
	b := body{buffer: buffer}
	n, err := buffer.ReadFrom(io.LimitReader(from, MaxBody+1))
	if err == nil && n <= MaxBody {
		b.bytes = buffer.Bytes()
		return b, nil
	}
	b.release()
	var tooLong *http.MaxBytesError
	if err == nil || errors.As(err, &tooLong) || errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return body{}, fault.New(fault.TooLarge, "a body is limited to %d bytes, also when decompressed: send smaller batches", MaxBody)
	}
	return body{}, fault.Wrap(err, fault.BadRequest, "the body breaks off or is not what its Content-Encoding says")
}

func checkMediaType(header string) error {
	if header == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(header)
	switch {
	case err != nil:
	case media == "application/json", media == "application/x-ndjson", media == "application/ndjson",
		media == "application/x-www-form-urlencoded": // what curl -d says of whatever it sends
		return nil
	}
	return fault.New(fault.MediaType, "send application/json or application/x-ndjson")
}

var (
	gzips = sync.Pool{New: func() any { return new(gzip.Reader) }}
	zstds = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*MaxBody), zstd.WithDecoderLowmem(true))
		if err != nil {
			panic(err) // the options above are constants
		}
		return d
	}}
)

// decompressed returns a reader of what from holds, by at most one encoding, and what gives the reader back.
func decompressed(from io.Reader, encodings []string) (io.Reader, func(), error) {
	encoding := "identity"
	switch len(encodings) {
	case 0:
	case 1:
		encoding = encodings[0]
	default:
		encoding = "several"
	}
	switch encoding {
	case "identity", "":
		return from, func() {}, nil
	case "gzip":
		z := gzips.Get().(*gzip.Reader)
		if err := z.Reset(from); err != nil {
			gzips.Put(z)
			return nil, nil, bodyStart(err)
		}
		return z, func() { gzips.Put(z) }, nil
	case "zstd":
		z := zstds.Get().(*zstd.Decoder)
		if err := z.Reset(from); err != nil {
			zstds.Put(z)
			return nil, nil, bodyStart(err)
		}
		return z, func() { _ = z.Reset(nil); zstds.Put(z) }, nil
	}
	return nil, nil, fault.New(fault.MediaType, "a body is sent plain, or compressed by one of gzip and zstd")
}

// bodyStart is the fault of a compressed body whose first bytes cannot be read.
func bodyStart(err error) error {
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return fault.New(fault.TooLarge, "a body is limited to %d bytes", MaxBody)
	}
	return fault.Wrap(err, fault.BadRequest, "the body is not what its Content-Encoding says")
}
