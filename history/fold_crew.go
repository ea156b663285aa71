package history

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// crew are goroutines that decode chunks and give what a query wants of them to a taker each. Whoever hands rows over is one
// goroutine.
type crew struct {
	q     query
	keep  func(name, []reading.Reading) // as a merger's; set before a row that is to be decoded is handed over
	count atomic.Int64                  // readings that were taken

	group *errgroup.Group
	ctx   context.Context // ends when one of them fails
	work  chan *lot
	free  chan *lot
	next  *lot // is being filled
}

// row is a chunk: decoded, or its payload, which is valid until it is handed over.
type row struct {
	key      store.ChunkKey
	decoded  bool
	readings []reading.Reading
	payload  []byte
}

// lot is so many rows that handing them over costs little beside decoding them, and so few that nobody waits long for his.
type lot struct {
	rows     []row
	payloads []byte // of the rows
}

const (
	lotRows  = 16
	lotBytes = 64 << 10
	lots     = 4
)

// newCrew returns a crew without anybody, and the context in which to read for it. wait ends both.
func newCrew(ctx context.Context, q query) (*crew, context.Context) {
	c := &crew{q: q, work: make(chan *lot, lots), free: make(chan *lot, lots)}
	c.group, c.ctx = errgroup.WithContext(ctx)
	for range lots {
		c.free <- &lot{rows: make([]row, 0, lotRows)}
	}
	return c, c.ctx
}

// employ adds one of them.
func (c *crew) employ(r *Reader, take taker) {
	c.group.Go(func() error {
		room := r.takeRoom()
		defer r.leaveRoom(room)
		for l := range c.work {
			if err := c.do(l, room, take); err != nil {
				return err
			}
			l.rows, l.payloads = l.rows[:0], l.payloads[:0]
			c.free <- l // there is room for all lots
		}
		return nil
	})
}

func (c *crew) do(l *lot, room *room, take taker) error {
	for _, w := range l.rows {
		rs := w.readings
		if !w.decoded {
			var err error
			if room.spare, err = decodeWhole(room.spare[:0], w.key, w.payload); err != nil {
				return err
			}
			rs = room.spare
			c.keep(chunkName(c.q.project, w.key), rs)
		}
		rs = between(rs, c.q.from, c.q.to)
		c.count.Add(int64(len(rs)))
		take(rs)
	}
	return nil
}

// decodeWhole decodes a chunk into dst, which is empty.
func decodeWhole(dst []reading.Reading, k store.ChunkKey, payload []byte) ([]reading.Reading, error) {
	rs, err := reading.Decode(dst, payload)
	if err != nil {
		return dst, fmt.Errorf("read chunk %d of series %d: %w", k.Version, k.Series, err)
	}
	if n := len(rs); n != k.Count || n > 0 && (rs[0].Series != k.Series || rs[n-1].Series != k.Series) {
		return dst, fmt.Errorf("read chunk %d of series %d: it holds other readings than its row says", k.Version, k.Series)
	}
	return rs, nil
}

// hand hands a row over, of whose payload it makes a copy. It fails when somebody has failed.
func (c *crew) hand(w row) error {
	if c.next == nil {
		select {
		case c.next = <-c.free:
		case <-c.ctx.Done():
			return store.Fault(context.Cause(c.ctx))
		}
	}
	l := c.next
	if !w.decoded {
		from := len(l.payloads)
		l.payloads = append(l.payloads, w.payload...)
		w.payload = l.payloads[from:] // what it holds does not change if payloads moves
	}
	if l.rows = append(l.rows, w); len(l.rows) == lotRows || len(l.payloads) > lotBytes {
		c.pass()
	}
	return nil
}

// pass gives the lot that is being filled away: there is room for all lots.
func (c *crew) pass() {
	if c.next != nil {
		c.work <- c.next
		c.next = nil
	}
}

// wait waits until what was handed over is done, and returns the error of who failed first.
func (c *crew) wait() error {
	c.pass()
	close(c.work)
	return c.group.Wait()
}
