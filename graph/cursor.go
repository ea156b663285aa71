package graph

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"entgo.io/contrib/entgql"

	"github.com/readout-dev/readout/internal/fault"
)

// Cursor is an opaque place in a list.
type Cursor = entgql.Cursor[int64]

// Cursors signs the cursors of time series, so that what comes back is what was given out: a place in a series (id,
// time) or in a project's journal (id, offset). Safe for concurrent use.
type Cursors struct{ key []byte }

// NewCursors returns cursors signed with a key derived from secret; cursors hold as long as the secret does.
func NewCursors(secret []byte) Cursors {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("readout cursor 1"))
	return Cursors{mac.Sum(nil)}
}

// The kinds of cursor; one is never taken for another.
const (
	inSeries  = 's' // series, time of the last reading seen
	inJournal = 'j' // project, offset of the last entry seen
)

func (c Cursors) sign(kind byte, id, place int64) *Cursor {
	return &Cursor{ID: id, Value: append(binary.BigEndian.AppendUint64(nil, uint64(place)), c.mac(kind, id, place)...)}
}

// open returns the place of a cursor of this kind; any other is a fault Invalid.
func (c Cursors) open(kind byte, cursor *Cursor) (id, place int64, err error) {
	value, ok := cursor.Value.([]byte)
	if ok && len(value) == 8+macSize {
		place = int64(binary.BigEndian.Uint64(value))
		if hmac.Equal(value[8:], c.mac(kind, cursor.ID, place)) {
			return cursor.ID, place, nil
		}
	}
	return 0, 0, fault.New(fault.Invalid, "this cursor is not of this list: leave it out to start anew")
}

const macSize = 12

func (c Cursors) mac(kind byte, id, place int64) []byte {
	mac := hmac.New(sha256.New, c.key)
	b := append(make([]byte, 0, 17), kind)
	b = binary.BigEndian.AppendUint64(b, uint64(id))
	mac.Write(binary.BigEndian.AppendUint64(b, uint64(place)))
	return mac.Sum(nil)[:macSize]
}
