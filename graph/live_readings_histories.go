package graph

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/readout-dev/readout/internal/fault"
)

// maxHistories is how many readings of history all subscriptions hold together that have not sent theirs: 96 MB.
const maxHistories = 8 * maxHistory

// histories bounds that. Its zero value is ready; safe for concurrent use.
type histories struct {
	once sync.Once
	room *semaphore.Weighted
}

// enter waits for room for n readings; the caller calls leave when they are sent.
func (h *histories) enter(ctx context.Context, n int64) error {
	h.once.Do(func() { h.room = semaphore.NewWeighted(maxHistories) })
	if err := h.room.Acquire(ctx, n); err != nil {
		return fault.Wrap(err, fault.Unavailable, "too much history is being sent: try again")
	}
	return nil
}

// leave gives room for n readings back, which may be none.
func (h *histories) leave(n int64) {
	if n > 0 {
		h.room.Release(n)
	}
}
