package history

import "github.com/readout-dev/readout/reading"

// room is memory for what one read finds. Most of the time of a long read would go into touching fresh memory: whoever
// reads stretch by stretch uses the same again, when he is done with the stretch before. It is for one goroutine.
type room struct {
	readings []reading.Reading // of all series, one behind the other
	spare    []reading.Reading // of one row of which not all is wanted
}

// divide returns an empty slice for each of the series, with room for likely[i] readings, but for not more than most. One
// that outgrows its room moves elsewhere. What was divided before is overwritten.
func (r *room) divide(likely []int, most int) [][]reading.Reading {
	all := 0
	for _, n := range likely {
		all += min(n, most)
	}
	if cap(r.readings) < all {
		r.readings = make([]reading.Reading, 0, all)
	}
	parts, left := make([][]reading.Reading, len(likely)), r.readings[:0]
	for i, n := range likely {
		n = min(n, most)
		parts[i], left = left[:0:n], left[n:n]
	}
	return parts
}

// keepRoom is how many readings a room that is used again has room for at most.
const keepRoom = 1 << 18

// takeRoom returns a room that nobody uses; leaveRoom gives it back.
func (r *Reader) takeRoom() *room {
	if free, ok := r.rooms.Get().(*room); ok {
		return free
	}
	return new(room)
}

func (r *Reader) leaveRoom(used *room) {
	if cap(used.readings)+cap(used.spare) <= keepRoom {
		r.rooms.Put(used)
	}
}
