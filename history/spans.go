package history

import (
	"context"
	"iter"

	"github.com/readout-dev/readout/reading"
)

// Span is a stretch of time and the readings in it: From <= time < To. They are the caller's, to change or to sort, until it
// asks for the next span or ends the loop; then they are overwritten.
type Span struct {
	From, To int64
	Series   [][]reading.Reading // of each of the series that were asked for, oldest first
	Fresh    int                 // how many of them are not packed: they come from memory
}

// Spans returns a range of time in stretches, in order, each with about want readings at most, over all series; one µs
// is never divided. Stretches without readings are left out. Each is as it was when it was read, so what is appended or
// deleted meanwhile may or may not be seen, but a reading that was there before and stays is seen once. The series must
// be distinct. An error is the last that is returned.
func (r *Reader) Spans(ctx context.Context, project int64, series []int64, from, to int64, want int) iter.Seq2[Span, error] {
	sorted, order := inOrder(series)
	want = min(max(want, 1), r.cfg.MaxReadings)
	return func(yield func(Span, error) bool) {
		for found, err := range r.stretches(ctx, query{project: project, series: sorted, from: from, to: to, want: want}) {
			if err != nil {
				yield(Span{}, err)
				return
			}
			if found.count > 0 && !yield(Span{found.from, found.to, order.undo(found.series), found.fresh()}, nil) {
				return
			}
		}
	}
}

// mostAhead bounds how many times as much as is asked for is looked for, where young rows hold little of the series: what
// turns out to be too much is read for nothing.
const mostAhead = 8

// stretches returns q in pieces that follow on each other, each with as many readings as q wants, or fewer: then more is
// asked for the next time, since the guess was too low. A piece is valid until the next.
func (r *Reader) stretches(ctx context.Context, q query) iter.Seq2[stretch, error] {
	q.max = r.cfg.MaxReadings
	asked := q.want
	return func(yield func(stretch, error) bool) {
		room := r.takeRoom()
		defer r.leaveRoom(room)
		for end := q.to; q.from < end; {
			found, err := r.read(ctx, q, room)
			if err == errTooMany && q.to-1 > q.from { //nolint:errorlint // it is never wrapped
				q.to = q.from + int64(uint64(q.to-q.from)/2)
				continue
			}
			if err == nil {
				found.cut(asked)
			}
			if !yield(found, err) || err != nil {
				return
			}
			if found.count < asked/2 {
				q.want = min(2*q.want, mostAhead*asked, r.cfg.MaxReadings)
			} else {
				q.want = asked
			}
			q.from, q.to = found.to, end
		}
	}
}
