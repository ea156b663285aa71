package export

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// stall is how long a client may take to read a piece of the answer before its connection is closed.
const stall = 30 * time.Second

// pieceSize is how much of an answer is gathered before it is sent, in bytes. Until then a fault still has a status of
// its own.
const pieceSize = 64 << 10

// stream is an answer of any length. Its headers are sent with its first piece; the time that the server gives an answer
// counts anew for each piece.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	name    string // of the file, without its ending
	format  format
	zip     *gzip.Writer // nil: sent as it is
	piece   []byte
	begun   bool
}

func newStream(w http.ResponseWriter, r *http.Request, name string, f format) *stream {
	s := &stream{w: w, control: http.NewResponseController(w), name: name, format: f, piece: make([]byte, 0, pieceSize+pieceSize/4)}
	if takesGzip(r.Header.Values("Accept-Encoding")) {
		s.zip = gzips.Get().(*gzip.Writer)
		s.zip.Reset(w)
	}
	return s
}

var gzips = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return z
}}

// write adds to the answer; b may be changed afterwards.
func (s *stream) write(b []byte) error {
	s.piece = append(s.piece, b...)
	if len(s.piece) < pieceSize {
		return nil
	}
	return s.send()
}

// end sends what is left. Nothing may be written afterwards.
func (s *stream) end() error {
	if err := s.send(); err != nil {
		return err
	}
	if s.zip == nil {
		return nil
	}
	err := s.zip.Close()
	gzips.Put(s.zip)
	s.zip = nil
	return err
}

func (s *stream) send() error {
	if !s.begun {
		s.begin()
	}
	// A writer of a test knows no deadlines; the server's does.
	_ = s.control.SetWriteDeadline(time.Now().Add(stall))
	out := io.Writer(s.w)
	if s.zip != nil {
		out = s.zip
	}
	if _, err := out.Write(s.piece); err != nil {
		return fmt.Errorf("send an export: %w", err)
	}
	s.piece = s.piece[:0]
	return nil
}

func (s *stream) begin() {
	s.begun = true
	h := s.w.Header()
	h.Set("Content-Type", s.format.media())
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": s.name + s.format.ending()}))
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept, Accept-Encoding")
	if s.zip != nil {
		h.Set("Content-Encoding", "gzip")
	}
}

// takesGzip reports whether the headers Accept-Encoding (RFC 9110, 12.5.3) name gzip.
func takesGzip(headers []string) bool {
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		quality, given := strings.CutPrefix(strings.TrimSpace(params), "q=")
		q, err := strconv.ParseFloat(quality, 64)
		return !given || err == nil && q > 0
	}
	return false
}
