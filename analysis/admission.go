package analysis

import (
	"context"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// admission lets so many compute at once; some more wait for their turn, and others are sent away. An answer takes a
// core or two for a while: if all were computed at once, each would be late, and so would what is being stored.
type admission struct {
	running  chan struct{} // room for those who compute
	present  chan struct{} // room for them and for those who wait
	patience time.Duration
}

func newAdmission(parallel, waiting int, patience time.Duration) *admission {
	return &admission{
		running: make(chan struct{}, parallel), present: make(chan struct{}, parallel+waiting), patience: patience,
	}
}

// enter waits for a turn, or joins the others of who holds a place; leave ends it. Faults: TooMany when there is none in time,
// Unavailable when ctx ends.
func (a *admission) enter(ctx context.Context) (leave func(), err error) {
	if h, ok := ctx.Value(holderKey{}).(*holder); ok {
		return func() {}, h.enter(ctx, a)
	}
	return a.take(ctx)
}

// take is enter for one alone.
func (a *admission) take(ctx context.Context) (leave func(), err error) {
	select {
	case a.present <- struct{}{}:
	default:
		return nil, errBusy()
	}
	timer := time.NewTimer(a.patience)
	defer timer.Stop()
	select {
	case a.running <- struct{}{}:
		return func() { <-a.running; <-a.present }, nil
	case <-timer.C:
		err = errBusy()
	case <-ctx.Done():
		err = fault.Wrap(context.Cause(ctx), fault.Unavailable, "others are computing: try again").After(time.Second)
	}
	<-a.present
	return nil, err
}

func errBusy() error {
	return fault.New(fault.TooMany, "too many statistics are being computed: try again").After(time.Second)
}
