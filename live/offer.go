package live

import "github.com/readout-dev/readout/journal"

// What publishing does with a subscription; all of it under the lock of the topic.

// offer puts an entry that concerns s into its queue. A queue that is full is dropped: s reads on by itself from the first
// entry that was in it.
func (s *Subscription) offer(e *journal.Entry) {
	switch m := &s.hub.metrics; {
	case !s.fed || e.Offset <= s.place || e.Offset == s.queue.newest():
		return
	case s.queue.fits(e, &s.hub.cfg):
		s.queue.push(e)
		m.queued.Add(1)
	default:
		s.rewind(e.Offset)
		m.overruns.Add(1)
	}
	s.notify()
}

// detach makes s go on by itself behind what publish has offered it, up to the offset head.
func (s *Subscription) detach(head int64) {
	if s.fed {
		s.place = max(s.place, head)
		s.fed = false
	}
}

// rewind makes s go on by itself behind the last entry that it has returned, head being the topic's.
func (s *Subscription) rewind(head int64) {
	s.place = s.settled(head)
	s.fed = false
	s.dropQueue()
}

// settled is the offset up to which everything that concerns s was returned, head being the topic's.
func (s *Subscription) settled(head int64) int64 {
	switch {
	case !s.queue.empty():
		return s.queue.entries[0].Offset - 1
	case s.fed:
		return max(s.place, head)
	}
	return s.place
}

func (s *Subscription) dropQueue() {
	s.hub.metrics.queued.Add(-int64(len(s.queue.entries)))
	s.queue = queue{}
}

// notify tells s that there may be something to take.
func (s *Subscription) notify() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}
