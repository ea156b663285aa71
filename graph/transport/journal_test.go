package transport_test

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/readout-dev/readout/graph/transport"
)

// journal is what the subscription entries reads: offsets, each of one topic. It counts the executions and can hold them up.
type journal struct {
	mu      sync.Mutex
	topics  map[string][]int64
	head    int64         // of what is committed
	seen    int64         // of what this process was told
	news    chan struct{} // closed when it is told of something
	given   int64         // by an execution that is shared
	opened  map[string]int
	running int
	failure error // of Next, once there is nothing left

	first func(ctx context.Context, again bool) error       // what First does before it answers; nil: there is no First
	open  func(ctx context.Context, p transport.Part) error // what an execution does before it begins; nil: nothing
	next  func(ctx context.Context, p transport.Part) error // what Next does before it looks; nil: nothing

	greeted atomic.Int32
}

func newJournal() *journal {
	return &journal{topics: map[string][]int64{}, opened: map[string]int{}, news: make(chan struct{})}
}

// in has entries read j, and be executed as plan says.
func (j *journal) in(w *world, plan transport.Plan) *journal {
	w.plan = func(context.Context, map[string]any) (transport.Plan, error) { return plan, nil }
	w.entries = j.stream
	return j
}

// commit adds n entries of a topic, which nobody is told yet.
func (j *journal) commit(topic string, n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for range n {
		j.head++
		j.topics[topic] = append(j.topics[topic], j.head)
	}
}

// tell publishes what is committed.
func (j *journal) tell() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen = j.head
	j.wake()
}

func (j *journal) publish(topic string, n int) {
	j.commit(topic, n)
	j.tell()
}

// fail ends the executions once they have nothing left.
func (j *journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failure = err
	j.wake()
}

func (j *journal) wake() {
	close(j.news)
	j.news = make(chan struct{})
}

// now returns the newest offset.
func (j *journal) now() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head
}

// await returns when what is shared has come to an offset.
func (j *journal) await(offset int64) {
	for {
		j.mu.Lock()
		given, news := j.given, j.news
		j.mu.Unlock()
		if given >= offset {
			return
		}
		<-news
	}
}

// behind returns all offsets of a topic behind one.
func (j *journal) behind(topic string, offset int64) []int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return behind(j.topics[topic], offset)
}

// behind returns those of a list of offsets in order that are behind one.
func behind(list []int64, offset int64) []int64 {
	i, _ := slices.BinarySearch(list, offset+1)
	return list[i:]
}

// counts returns how many executions of a topic have begun, and how many of all are running.
func (j *journal) counts(topic string) (opened, running int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.opened[topic], j.running
}

// stream begins an execution.
func (j *journal) stream(ctx context.Context, args map[string]any) (transport.Stream[any], error) {
	part := transport.PartOf(ctx)
	topic, _ := args["of"].(string)
	j.mu.Lock()
	j.opened[topic]++
	j.mu.Unlock()
	if j.open != nil {
		if err := j.open(ctx, part); err != nil {
			return nil, err
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.running++
	s := &entries{journal: j, topic: topic, part: part}
	from, _ := args["from"].(int64)
	switch {
	case part.Shared:
		s.place, j.given = j.seen, j.seen
		j.wake()
	case part.Behind:
		s.place = part.Place
	default:
		s.place = from
	}
	return s, nil
}

// entries is one execution.
type entries struct {
	*journal
	topic string
	part  transport.Part
	place int64
	bound int64 // 0: none
}

func (s *entries) First(ctx context.Context, again bool) (any, transport.Mark, error) {
	s.greeted.Add(1)
	if s.first == nil {
		return nil, transport.Mark{}, transport.ErrNothing
	}
	if err := s.first(ctx, again); err != nil {
		return nil, transport.Mark{}, err
	}
	return -s.place, transport.Mark{Place: s.place}, nil
}

func (s *entries) Next(ctx context.Context) (any, transport.Mark, error) {
	if s.next != nil {
		if err := s.next(ctx, s.part); err != nil {
			return nil, transport.Mark{}, err
		}
	}
	for {
		mark, news, err := s.look()
		if mark.Place > 0 || err != nil {
			return mark.Place, mark, err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, mark, ctx.Err()
		}
	}
}

// look returns the next entry; neither that nor an error: it is to be waited for.
func (s *entries) look() (mark transport.Mark, news <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.end()
	if o := s.following(end); o > 0 {
		s.place = o
		if s.part.Shared {
			s.given = o
			s.wake()
		}
		live := s.part == transport.Part{} && s.bound == 0 && s.following(end) == 0
		return transport.Mark{Place: o, Live: live}, nil, nil
	}
	s.place = max(s.place, end)
	if !s.part.Shared {
		return mark, nil, io.EOF
	}
	return mark, s.news, s.failure
}

// following returns the next offset of the topic up to end; 0: none.
func (s *entries) following(end int64) int64 {
	if list := behind(s.topics[s.topic], s.place); len(list) > 0 && list[0] <= end {
		return list[0]
	}
	return 0
}

// end returns the offset up to which there is something to look at: who is shared has to be told, who is alone reads all
// that is committed.
func (s *entries) end() int64 {
	switch {
	case s.part.Shared:
		return s.seen
	case s.bound > 0:
		return s.bound
	}
	return s.head
}

func (s *entries) Place() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.part.Shared && s.following(s.seen) == 0 {
		s.place = max(s.place, s.seen)
	}
	return s.place
}

func (s *entries) Until(offset int64) { s.bound = offset }

func (s *entries) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
}
