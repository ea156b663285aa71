package mail

import (
	"context"
	"slices"
	"sync"
	"time"
)

// BoxSize is how many messages a Box keeps; older ones are gone.
const BoxSize = 100

// Kept is a message in a Box.
type Kept struct {
	Message
	At time.Time `json:"at"` // UTC
}

// Box keeps the last messages in memory and shows them, instead of sending any. Its zero value is empty. Safe for
// concurrent use.
type Box struct {
	mu   sync.Mutex
	kept []Kept // oldest first; guarded by mu
}

// Send keeps m, if Check finds nothing wrong with it.
func (b *Box) Send(_ context.Context, m Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.kept) == BoxSize {
		b.kept = slices.Delete(b.kept, 0, 1)
	}
	b.kept = append(b.kept, Kept{m, time.Now().UTC()})
	return nil
}

// Messages returns what is kept, newest first.
func (b *Box) Messages() []Kept {
	b.mu.Lock()
	defer b.mu.Unlock()
	newest := slices.Clone(b.kept)
	slices.Reverse(newest)
	return newest
}
