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
// time) or in a project's journal (id, offset and when that was committed). Safe for concurrent use.
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
	inJournal = 'j' // project, offset of the last entry seen, when it was committed
)

// sign returns a cursor of a place, which is one number, or more where the kind says so.
func (c Cursors) sign(kind byte, id int64, place ...int64) *Cursor {
	value := make([]byte, 0, 8*len(place)+macSize)
	for _, n := range place {
		value = binary.BigEndian.AppendUint64(value, uint64(n))
	}
	return &Cursor{ID: id, Value: append(value, c.mac(kind, id, value)...)}
}

// open returns the place of a cursor of a kind that has one number; any other is a fault Invalid.
func (c Cursors) open(kind byte, cursor *Cursor) (id, place int64, err error) {
	err = c.openInto(kind, cursor, &place)
	return cursor.ID, place, err
}

// openInto sets place to the numbers of a cursor of this kind; any other is a fault Invalid.
func (c Cursors) openInto(kind byte, cursor *Cursor, place ...*int64) error {
	value, ok := cursor.Value.([]byte)
	size := 8 * len(place)
	if !ok || len(value) != size+macSize || !hmac.Equal(value[size:], c.mac(kind, cursor.ID, value[:size])) {
		return fault.New(fault.Invalid, "this cursor is not of this list: leave it out to start anew")
	}
	for i, n := range place {
		*n = int64(binary.BigEndian.Uint64(value[8*i:]))
	}
	return nil
}

const macSize = 12

func (c Cursors) mac(kind byte, id int64, place []byte) []byte {
	mac := hmac.New(sha256.New, c.key)
	b := append(make([]byte, 0, 25), kind)
	b = binary.BigEndian.AppendUint64(b, uint64(id))
	mac.Write(append(b, place...))
	return mac.Sum(nil)[:macSize]
}
