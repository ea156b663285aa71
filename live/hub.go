package live

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
)

// ErrReset is the answer to a place that cannot be resumed: the journal does not reach back to it any more, or has never
// come so far (a database that was restored). Start again without a place.
var ErrReset error = fault.New(fault.NotFound, "the journal does not hold this cursor any more: start without one")

// ErrGone is the answer when the project is not followed: it was deleted, or nobody has called Follow.
var ErrGone error = fault.New(fault.NotFound, "this project does not exist any more")

// Reader reads journals. A journal.Reader is one.
type Reader interface {
	// Read returns entries of a project's journal behind an offset, in order and without holes, limit at most.
	Read(ctx context.Context, project, after int64, limit int) ([]journal.Entry, error)
	// CommittedAt returns the Entry.At of the entry at an offset; zero when the journal does not hold it.
	CommittedAt(ctx context.Context, project, offset int64) (time.Time, error)
}

// Config sets the limits of a Hub; its zero value is right for one server process.
type Config struct {
	MaxEntries  int // recent entries kept for each project, and entries that wait for one subscription; 0 = 256
	MaxBytes    int // the same in bytes of their readings, 24 each; the newest is kept in any case; 0 = 8 MiB
	MaxAllBytes int // the recent entries of all projects together; the project that was published to last keeps its own; 0 = 64 MiB
}

// Hub hands the entries of journals on to those who wait for them. It is a journal.View and a prometheus.Collector. Safe
// for concurrent use.
type Hub struct {
	reader Reader
	cfg    Config
	recent budget

	mu     sync.RWMutex
	topics map[int64]*topic

	metrics metrics
}

var _ journal.View = (*Hub)(nil)

// New returns a Hub that reads with reader what it does not keep.
func New(reader Reader, cfg Config) *Hub {
	cfg.MaxEntries = cmp.Or(cfg.MaxEntries, 256)
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, 8<<20)
	cfg.MaxAllBytes = cmp.Or(cfg.MaxAllBytes, 64<<20)
	return &Hub{reader: reader, cfg: cfg, recent: budget{max: cfg.MaxAllBytes}, topics: make(map[int64]*topic)}
}

// Start begins a project, or goes on with it behind entries that are packed and gone: subscriptions whose place is before
// them end with ErrReset.
func (h *Hub) Start(b journal.Beginning) {
	t := h.topic(b.Project)
	if t == nil {
		t = newTopic(h, b.Project)
	}
	t.skip(b)
	h.recent.release(&t.share)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.topics[b.Project] = t
}

// Apply publishes the next entry of a project that was started, and wakes those whom it concerns. It costs a few
// nanoseconds for each series of the entry and a few dozen for each subscription that the entry concerns, however many
// others there are.
func (h *Hub) Apply(e journal.Entry) {
	if t := h.topic(e.Project); t != nil {
		e.Index() // for each whom it concerns
		t.publish(&e)
		h.recent.settle(&t.share)
	}
}

// ForgetProject ends the subscriptions of a project with ErrGone.
func (h *Hub) ForgetProject(project int64) {
	h.mu.Lock()
	t := h.topics[project]
	delete(h.topics, project)
	h.mu.Unlock()
	if t != nil {
		t.end()
		h.recent.release(&t.share)
	}
}

// Subscribe returns a subscription to the entries of project behind the offset after; at first every entry concerns it.
// The project must be followed (journal.Follower.Follow); after is an offset that came with an entry or with a snapshot of
// the tail, or 0. It asks nobody and cannot fail: Next tells. The caller closes the subscription.
func (h *Hub) Subscribe(project, after int64) *Subscription {
	h.metrics.subscribers.Add(1)
	s := &Subscription{hub: h, topic: h.topic(project), place: after, news: make(chan struct{}, 1)}
	if s.topic != nil {
		s.topic.admit(s)
	}
	return s
}

// CommittedAt returns when the entry at an offset of project's journal was committed, by the database's clock, in
// microseconds; zero when the journal does not hold it, any more or yet. It tells one history of a journal from another:
// after a restore from a backup there are other entries at the same offsets. It asks the Reader, whose errors it returns,
// but not for the head and the recent entries.
func (h *Hub) CommittedAt(ctx context.Context, project, offset int64) (time.Time, error) {
	if t := h.topic(project); t != nil {
		if at, ok := t.committedAt(offset); ok {
			return at, nil
		}
	}
	return h.reader.CommittedAt(ctx, project, offset)
}

func (h *Hub) topic(project int64) *topic {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.topics[project]
}
