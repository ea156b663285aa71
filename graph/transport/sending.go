package transport

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
)

// Nobody waits for a client with a lock held. A message is written while nothing is kept for the client, and then all of
// it: what the kernel does not take is kept by the outbox. Whoever comes while something is kept comes again when it is
// drained: one after the other, in the order of onDrained, as long as nothing is kept again. So a client that reads slowly
// holds up its own operations, each in turn, and nobody else's.

// outcome is what became of a message.
type outcome int

const (
	busy    outcome = iota // not written, since something is kept for the client
	written                // on its way
	dropped                // nobody wants it any more
)

// send writes one message as soon as nothing is kept for the client, unless ctx has ended by then or wanted, asked last,
// says no. It reports whether the message was written. ctx ends with the socket. Safe for concurrent use.
func (s *socket) send(ctx context.Context, wanted func() bool, message []byte) bool {
	became := s.write(ctx, wanted, message)
	if became == busy {
		became = s.sendLater(ctx, wanted, message)
	}
	return became == written
}

// sendLater waits for its turn among those who came while something was kept.
func (s *socket) sendLater(ctx context.Context, wanted func() bool, message []byte) outcome {
	var mu sync.Mutex
	became := busy
	done := make(chan struct{})
	try := func() {
		mu.Lock()
		defer mu.Unlock()
		if became != busy {
			return
		}
		if became = s.write(ctx, wanted, message); became != busy {
			close(done)
		}
	}
	defer s.onDrained(try)()
	try() // what was kept may have been drained meanwhile
	select {
	case <-done:
	case <-ctx.Done():
		try() // for the last time: from now on the message is the caller's again
	}
	return became
}

// write writes a text message if nothing is kept for the client, or says why not: of busy the caller comes again when it is
// called by onDrained. It does not wait and does not keep the message. Safe for concurrent use. gorilla would do the same, but for three times the work and with garbage.
func (s *socket) write(ctx context.Context, wanted func() bool, message []byte) outcome {
	frame := frames.Get().(*[]byte)
	b := append(appendTextHead((*frame)[:0], len(message)), message...)
	became := s.writeFrame(ctx, wanted, b)
	keepFrame(frame, b)
	return became
}

// writeFrame is write for a message that is a frame already.
func (s *socket) writeFrame(ctx context.Context, wanted func() bool, frame []byte) outcome {
	s.writing.Lock()
	defer s.writing.Unlock()
	switch {
	case s.silent.Load() || ctx.Err() != nil:
		return dropped
	case s.out.Pending() > 0:
		return busy
	case wanted != nil && !wanted():
		return dropped
	}
	if _, err := s.out.Write(frame); err != nil {
		s.cut()
		return dropped
	}
	if s.out.guarded {
		s.sent.Store(true)
	}
	if on := s.transport.Hooks.OnSend; on != nil {
		on(len(frame))
	}
	return written
}

// appendTextHead appends the head of a frame that is a text message of size bytes,
// https://www.rfc-editor.org/rfc/rfc6455#section-5.2.
func appendTextHead(b []byte, size int) []byte {
	b = append(b, 0x81)
	switch {
	case size < 126:
		return append(b, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(b, 127), uint64(size))
}

// turns are those who want to write, the one whose turn is next first.
type turns struct {
	mu   sync.Mutex
	list []*func()
}

// onDrained has f called whenever nothing is kept for the client any more, until stop is called: f then writes what it has
// by write, and does not wait. It is called by one goroutine at a time, which holds no lock, and perhaps once more while
// stop returns. Who was refused before onDrained tries once more after it.
func (s *socket) onDrained(f func()) (stop func()) {
	t := &s.turns
	turn := &f
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, turn)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.list = slices.DeleteFunc(t.list, func(other *func()) bool { return other == turn })
	}
}

// drained gives each of those who want to write a turn, until something is kept again; the others come first then. Those
// who are refused while it runs are among them, or have their turn when the outbox is drained the next time.
func (s *socket) drained() {
	s.saidAll()
	for range s.turns.len() {
		if s.out.Pending() > 0 {
			return
		}
		if f := s.turns.next(); f != nil {
			f()
		}
	}
}

func (t *turns) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.list)
}

// next returns the first one and puts him at the end; nil if there is none.
func (t *turns) next() func() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.list) == 0 {
		return nil
	}
	first := t.list[0]
	copy(t.list, t.list[1:])
	t.list[len(t.list)-1] = first
	return *first
}
