package live

import (
	"container/list"
	"sync"
)

// budget bounds what the rings of all topics hold together: those that were published to longest ago give way.
type budget struct {
	max int // bytes

	mu     sync.Mutex // before a topic's own
	used   int
	topics list.List // of *share, the one published to longest ago first
}

// share is what a topic has of the budget.
type share struct {
	topic *topic
	bytes int
	place *list.Element // nil: it has none
}

// settle takes note of what the ring of a topic holds that was just published to, and makes room for it.
func (b *budget) settle(s *share) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(s, s.topic.held())
	if s.place == nil {
		s.place = b.topics.PushBack(s)
	} else {
		b.topics.MoveToBack(s.place)
	}
	for oldest := b.oldest(); b.used > b.max && oldest != s; oldest = b.oldest() {
		oldest.topic.giveWay()
		b.take(oldest)
	}
}

// release takes the topic out, which is forgotten.
func (b *budget) release(s *share) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.place != nil {
		b.take(s)
	}
}

func (b *budget) oldest() *share { return b.topics.Front().Value.(*share) }

func (b *budget) count(s *share, bytes int) {
	b.used += bytes - s.bytes
	s.bytes = bytes
}

func (b *budget) take(s *share) {
	b.count(s, 0)
	b.topics.Remove(s.place)
	s.place = nil
}
