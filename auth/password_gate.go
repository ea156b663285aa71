package auth

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// gate lets a few callers in at once, a few more wait in the order they came, and refuses the rest.
type gate struct {
	inside  chan struct{} // holds one element per caller inside
	waiting atomic.Int64
	most    int64 // callers that may wait
}

func newGate(inside, waiting int) *gate {
	return &gate{inside: make(chan struct{}, inside), most: int64(waiting)}
}

// enter returns nil once the caller is inside, who must then leave; fault.TooMany when too many wait or ctx ends first.
func (g *gate) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return busy(err)
	}
	select {
	case g.inside <- struct{}{}:
		return nil
	default:
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > g.most {
		return busy(nil)
	}
	select {
	case g.inside <- struct{}{}:
		return nil
	case <-ctx.Done():
		return busy(ctx.Err())
	}
}

func (g *gate) leave() { <-g.inside }

func busy(cause error) error {
	return fault.Wrap(cause, fault.TooMany, "too many people sign in at this moment").After(time.Second)
}
