package analysis

import (
	"context"
	"sync"
)

// Hold returns a context under which all answers of an Engine take one place together, from the first of them until release:
// for who goes on to work with them, which is to be bounded, too. One Hold is for one Engine.
func Hold(ctx context.Context) (holding context.Context, release func()) {
	h := new(holder)
	return context.WithValue(ctx, holderKey{}, h), h.release
}

type holderKey struct{}

// holder keeps a place. Safe for concurrent use.
type holder struct {
	mu    sync.Mutex // held while a place is waited for
	leave func()     // nil while there is none
}

func (h *holder) enter(ctx context.Context, a *admission) (err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.leave == nil {
		h.leave, err = a.take(ctx)
	}
	return err
}

func (h *holder) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.leave != nil {
		h.leave()
		h.leave = nil
	}
}
