package transport

import (
	"errors"
	"io"

	"github.com/99designs/gqlgen/graphql"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/live"
)

// follow begins a subscription. It reports whether op only has to listen from now on; if not, the client knows why, or has gone.
func (op *operation) follow(current *graphql.OperationContext, params *graphql.RawParams) (listening bool) {
	s := op.socket
	sub, err := s.home.subscribe(op.ctx, s.exec, current, params, OverWebSocket, op.kicked)
	if err != nil {
		op.ended(err)
		return true
	}
	op.subscriber.Store(sub)
	if op.ctx.Err() != nil { // whoever ended it may have missed the subscriber
		sub.leave()
		return false
	}
	if err := sub.begin(op.relay, op.flush); err != nil {
		op.ended(err)
		return true
	}
	op.listen()
	return true
}

// listen has what is published written to the socket, by whoever publishes, and whenever the socket has room again.
func (op *operation) listen() {
	op.mu.Lock()
	op.takeTurns()
	op.mu.Unlock()
	op.flush()
}

// takeTurns has flush called when the socket has room again. With op.mu held.
func (op *operation) takeTurns() {
	if op.stop.Load() != nil {
		return
	}
	stop := op.socket.onDrained(op.flush)
	op.stop.Store(&stop)
	if op.over.Load() { // whoever ended it may have missed that
		stop()
	}
}

// goOn starts resume, once, unless the operation or the socket is over. With op.mu held.
func (op *operation) goOn(sub *subscriber) {
	s := op.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	if !op.resuming && s.code == 0 && s.active[op.id] == op { // so it holds itself
		op.resuming = true
		s.transport.running.Add(1) // the socket's reader is still counted
		op.holds.Add(1)
		go op.resume(sub)
	}
}

// resume goes on for a subscriber that was left behind.
func (op *operation) resume(sub *subscriber) {
	defer op.socket.transport.running.Done()
	defer op.release()
	defer op.recovered()
	if err := sub.resume(op.relay, op.flush); err != nil {
		op.ended(err)
		return
	}
	op.mu.Lock()
	op.resuming = false
	op.mu.Unlock()
	op.flush()
}

// recovered turns a panic of resume into a failure: nothing above it would recover.
func (op *operation) recovered() {
	if p := recover(); p != nil {
		op.failed(failure(op.panicked(op.ctx, nil, p)))
	}
}

// relay writes an answer that is for this subscriber alone, when the socket has room.
func (op *operation) relay(a *Answer) bool {
	sub := op.subscriber.Load()
	if err := sub.allowed(); err != nil {
		op.ended(err)
		return false
	}
	if a.Failed {
		op.failed(a)
		return true
	}
	frame := frames.Get().(*[]byte)
	b := appendAnswer((*frame)[:0], op.quotedID, a)
	sent := op.socket.send(op.ctx, op.active, b)
	keepFrame(frame, b)
	if sent {
		sub.wrote()
	}
	return sent
}

func appendAnswer(b []byte, quotedID string, a *Answer) []byte {
	return append(append(appendHead(b, typeNext, quotedID), a.Body...), '}')
}

// flush takes what is published and writes it, as long as the socket has room. It waits for nobody.
func (op *operation) flush() {
	op.mu.Lock()
	defer op.mu.Unlock()
	sub := op.subscriber.Load()
	for !op.over.Load() {
		if op.ending != nil {
			op.last(op.ending)
			return
		}
		if op.taken == nil && !op.take(sub) {
			return
		}
		if op.writeTaken() != written {
			return // until the outbox is drained, or for ever
		}
		sub.wrote()
		op.taken = nil
	}
}

// writeTaken writes the answer that is taken. With op.mu held.
func (op *operation) writeTaken() outcome {
	if f := op.taken.frameFor(op.quotedID); f != nil {
		return op.socket.writeFrame(op.ctx, nil, f)
	}
	frame := frames.Get().(*[]byte)
	b := appendFrame((*frame)[:0], op.quotedID, op.taken)
	became := op.socket.writeFrame(op.ctx, nil, b)
	keepFrame(frame, b)
	return became
}

// take takes the next answer, if there is one to be written now. With op.mu held.
func (op *operation) take(sub *subscriber) bool {
	l := sub.listener.Load()
	if l == nil || op.socket.out.Pending() > 0 {
		return false
	}
	a, state := l.Take()
	switch state {
	case live.Waiting:
		return false
	case live.Behind:
		op.goOn(sub)
		return false
	case live.Over:
		op.endedLocked(l.Err())
		return false
	}
	if err := sub.allowed(); err != nil {
		op.endedLocked(err)
		return false
	}
	if a.Failed {
		op.failedLocked(a)
		return false
	}
	op.taken = a
	return true
}

// kicked ends op from outside.
func (op *operation) kicked(err error) { op.ended(err) }

// ended ends op because of err: complete at the end of what there is, nothing when nobody is there any more, else an error
// message, or the end of the socket.
func (op *operation) ended(err error) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.endedLocked(err)
}

func (op *operation) endedLocked(err error) {
	var r *refused
	switch {
	case op.ctx.Err() != nil || errors.Is(err, errGone):
		op.finish()
	case errors.As(err, &r):
		op.failedLocked(r.answer)
	case errors.Is(err, io.EOF):
		op.last(appendBare(nil, typeComplete, op.quotedID))
	default:
		op.failedLocked(op.socket.home.failure(op.ctx, op.socket.exec, err))
	}
}

func (op *operation) failed(a *Answer) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.failedLocked(a)
}

// failedLocked ends op with a failure. One of rights, of a database that is away and of a client that lags concerns all of the
// socket: a client that may comes again, and goes on after its cursor.
func (op *operation) failedLocked(a *Answer) {
	if f := a.Fault; f != nil && (f.Code == fault.Unauthenticated || f.Code == fault.Unavailable || f.Code == fault.Lagging) {
		op.socket.close(f.Code.Door().Close, f.Message)
		return
	}
	op.last(op.errorMessage(string(a.Body)))
}

// last writes the last message, now or when the socket has room. Once it is written the client may use the id again.
func (op *operation) last(message []byte) {
	if op.ending == nil {
		op.ending, op.taken = message, nil
	}
	if op.socket.write(op.ctx, op.retire, op.ending) != busy {
		op.finish()
		return
	}
	if op.stop.Load() == nil {
		op.takeTurns()
		op.flushSoon() // it may have been drained meanwhile
	}
}

// flushSoon has flush called, unless the socket is over.
func (op *operation) flushSoon() {
	s := op.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code == 0 {
		s.transport.running.Go(op.flush) // the socket's reader is still counted
	}
}
