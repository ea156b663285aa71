package transport

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/live"
)

// Subscriptions is the one way in which subscriptions are executed, whatever transport they come by: identical ones once,
// as a live.Feed; what only one subscriber needs before it can share, for him alone.
//
// Its fields are set before its first use. Use it by pointer; safe for concurrent use.
type Subscriptions struct {
	// Plan says how an operation is executed that gqlgen does not execute as a subscription, or a fault; ok is false for one that
	// it does: its resolver is asked. ctx is the subscriber's. nil: there are no such operations.
	Plan func(ctx context.Context, op *graphql.OperationContext) (plan Plan, ok bool, err error)
	// Fault returns what a client gets to know of an error that ended an execution, and logs what it does not. nil: fault.Of
	Fault func(ctx context.Context, err error) *fault.Error
	Log   *slog.Logger // nil: slog.Default()
	// Owner names who is behind the context of an operation: whose operations have a bound together, and whom a reserved stream is of
	// use to. nil: all are the same.
	Owner func(ctx context.Context) string
	// MaxHeld is how many bytes the documents and variables of one owner's operations may take, over all sockets and streams;
	// beyond: TOO_MANY_REQUESTS for the operation. 0: 64 MiB
	MaxHeld int64
	// Sent is told of each answer when it was written to all who share it, or left for those who were not ready: when what it
	// tells was committed, and when it was encoded. nil: nobody is told.
	Sent func(committed, published time.Time)

	once  sync.Once
	feeds *live.Feeds[*Answer]
	alone atomic.Int64 // makes keys that nobody shares

	held held

	mu          sync.Mutex
	subscribers map[int64]*subscriber
	last        int64            // id
	gaps        map[string]int64 // by policy
}

// Size implements live.Payload.
func (a *Answer) Size() int { return 2*len(a.Body) + 128 } // with its frame

// Offset implements live.Payload.
func (a *Answer) Offset() int64 { return a.Place }

func (s *Subscriptions) shared() *live.Feeds[*Answer] {
	s.once.Do(func() { s.feeds = live.NewFeeds(live.FeedConfig{}, s.published) })
	return s.feeds
}

func (s *Subscriptions) published(a *Answer) {
	if s.Sent != nil && !a.Failed {
		s.Sent(a.Committed, a.Published)
	}
}

func (s *Subscriptions) faultOf(ctx context.Context, err error) *fault.Error {
	if s.Fault != nil {
		return s.Fault(ctx, err)
	}
	return fault.Of(err)
}

// failure returns the answer to an error outside of an execution.
func (s *Subscriptions) failure(ctx context.Context, exec graphql.GraphExecutor, err error) *Answer {
	if errors.Is(err, context.Canceled) {
		err = fault.Wrap(err, fault.Unavailable, "the server is stopping")
	}
	e := execution{exec: exec, faultOf: s.faultOf, log: s.log()}
	return e.failed(ctx, err)
}

func (s *Subscriptions) log() *slog.Logger { return cmp.Or(s.Log, slog.Default()) }

// Close ends all executions and returns when they have ended. The transports are to be closed before.
func (s *Subscriptions) Close() { s.shared().Close() }

// Counts returns how many subscribers there are, and how many executions they share.
func (s *Subscriptions) Counts() (subscribers, feeds int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.subscribers), s.shared().Count()
}

// Counters returns how many payloads were made so far, and how often a subscriber lagged so far behind that some were not kept for him.
func (s *Subscriptions) Counters() (published, overruns int64) {
	return s.shared().Published(), s.shared().Overruns()
}

// Gaps returns how many events were sent before which something was left out, by a policy as Mark.Gap names it.
func (s *Subscriptions) Gaps(policy string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gaps[policy]
}

func (s *Subscriptions) countGap(policy string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gaps == nil {
		s.gaps = map[string]int64{}
	}
	s.gaps[policy]++
}

// subscriber is one running subscription. Its transport calls it by one goroutine at a time.
type subscriber struct {
	home   *Subscriptions
	id     int64
	ctx    context.Context // ends with the subscription
	exec   graphql.GraphExecutor
	params *graphql.RawParams
	plan   Plan
	key    string // of the shared execution
	after  string // a cursor that the transport has
	kind   Kind
	name   string // of the operation
	since  time.Time
	end    func(error) // ends it from outside

	listener atomic.Pointer[live.Listener[*Answer]]
	sent     atomic.Int64
}

// errGone is the end of a subscription whose client does not take anything any more.
var errGone = errors.New("the client has gone")

// subscribe plans the subscription op that came by params, and enters it among the subscribers. It is left by leave. end is
// called, once at most and from anywhere, to end it from outside. The error is *refused.
func (s *Subscriptions) subscribe(
	ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext, params *graphql.RawParams, kind Kind, end func(error),
) (*subscriber, error) {
	plan, err := s.plan(ctx, exec, op)
	if err != nil {
		return nil, err
	}
	sub := &subscriber{
		home: s, ctx: ctx, exec: exec, params: params, plan: plan, kind: kind, name: op.Operation.Name, since: time.Now(), end: end,
	}
	sub.key = s.identity(plan, op, params)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subscribers == nil {
		s.subscribers = map[int64]*subscriber{}
	}
	s.last++
	sub.id = s.last
	s.subscribers[sub.id] = sub
	return sub, nil
}

// leave ends the subscription for the others. It may be called twice, and beside anything else.
func (s *subscriber) leave() {
	if l := s.listener.Swap(nil); l != nil {
		l.Leave()
	}
	s.home.mu.Lock()
	_, there := s.home.subscribers[s.id]
	delete(s.home.subscribers, s.id)
	s.home.mu.Unlock()
	if there && s.plan.Close != nil {
		s.plan.Close()
	}
}

// begin has what only this subscriber needs sent to him, and has him listen to what is shared then. send reports false once
// he can take nothing any more; wake is called when there may be something to take. The error is io.EOF at the end of
// the subscription, errGone, *refused, or ctx's.
func (s *subscriber) begin(send func(*Answer) bool, wake func()) error {
	if s.plan.Alone || s.plan.Places && s.after != "" {
		return s.catchUp(Part{After: s.after}, send, wake)
	}
	return s.share(live.Join{First: true}, wake)
}

// resume brings a subscriber that lags behind to where the others are.
func (s *subscriber) resume(send func(*Answer) bool, wake func()) error {
	l := s.listener.Swap(nil)
	if l == nil {
		return errGone
	}
	if !s.plan.Places {
		defer l.Leave() // after having joined, which so need not begin the execution anew
		return s.share(live.Join{First: true, Again: true}, wake)
	}
	l.Leave()
	return s.catchUp(Part{Behind: true, Place: l.Place()}, send, wake)
}

// catchUp executes a part for this subscriber alone, up to a place at which a payload of the shared execution ends: from
// there on it listens.
func (s *subscriber) catchUp(part Part, send func(*Answer) bool, wake func()) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	alone, err := s.open(ctx, part)
	if err != nil {
		return err
	}
	defer alone.Close()
	send = s.noting(send)
	place, err := relay(ctx, alone, send, true)
	if err != nil {
		return err
	}
	l, err := s.join(live.Join{AtLeast: place}, wake)
	if err != nil {
		return err
	}
	alone.Until(l.Place())
	if _, err = relay(ctx, alone, send, false); err != nil {
		l.Leave()
		return err
	}
	return s.listen(l)
}

// noting is send, which has gaps counted.
func (s *subscriber) noting(send func(*Answer) bool) func(*Answer) bool {
	return func(a *Answer) bool {
		sent := send(a)
		if sent && a.Gap != "" {
			s.home.countGap(a.Gap)
		}
		return sent
	}
}

// relay sends answers until they are live, or to their end. It returns the place that they have come to.
func relay(ctx context.Context, answers Answers, send func(*Answer) bool, live bool) (place int64, err error) {
	for {
		a, err := answers.Next(ctx)
		if errors.Is(err, io.EOF) {
			return answers.Place(), nil
		}
		if err != nil {
			return 0, err
		}
		switch {
		case !send(a):
			return 0, errGone
		case a.Failed:
			return 0, io.EOF
		case live && a.Live:
			return a.Place, nil
		}
	}
}

// open begins an execution, with variables of its own: what checks them changes them.
func (s *subscriber) open(ctx context.Context, part Part) (Answers, error) {
	own := *s.params
	own.Variables = deepCopy(own.Variables)
	params := &own
	part.Project = s.plan.Project
	if s.plan.Answers != nil {
		return s.plan.Answers(withPart(ctx, part), s.exec, params)
	}
	return s.home.execute(ctx, s.exec, params, part)
}

// share has the subscriber listen to the shared execution.
func (s *subscriber) share(how live.Join, wake func()) error {
	l, err := s.join(how, wake)
	if err != nil {
		return err
	}
	return s.listen(l)
}

// listen has the subscriber take what l has from now on.
func (s *subscriber) listen(l *live.Listener[*Answer]) error {
	s.listener.Store(l)
	if s.ctx.Err() != nil { // whoever ended it may have missed the listener
		s.leave()
		return s.ctx.Err()
	}
	return nil
}

// join returns a listener to the shared execution, which begins if there is none.
func (s *subscriber) join(how live.Join, wake func()) (*live.Listener[*Answer], error) {
	return s.home.shared().Join(s.ctx, s.key, how, func(ctx context.Context) (live.Producer[*Answer], error) {
		if s.plan.Rights != nil {
			ctx = s.plan.Rights(ctx)
		}
		answers, err := s.open(ctx, Part{Shared: true})
		return &together{Answers: answers}, err
	}, wake)
}

// together are the answers of a shared execution. A failure that it ends by is told to whoever comes later, too: as io.EOF it
// would pass for complete.
type together struct {
	Answers
	failed error // that was met last
}

func (t *together) First(ctx context.Context, again bool) (*Answer, error) {
	a, err := t.noted(t.Answers.First(ctx, again))
	if err == nil && a.Failed {
		return nil, t.failed
	}
	return a, err
}

func (t *together) Next(ctx context.Context) (*Answer, error) {
	return t.noted(t.Answers.Next(ctx))
}

func (t *together) noted(a *Answer, err error) (*Answer, error) {
	switch {
	case err == nil && a.Failed:
		t.failed = &refused{a}
	case err == nil:
		t.failed = nil
	case errors.Is(err, io.EOF) && t.failed != nil:
		return nil, t.failed
	}
	return a, err
}

// allowed asks whether the subscriber may have an answer.
func (s *subscriber) allowed() error {
	if s.plan.Check == nil {
		return nil
	}
	return s.plan.Check()
}

// wrote takes note that an answer was written to the subscriber.
func (s *subscriber) wrote() {
	s.sent.Add(1)
}

// Kind is a transport of subscriptions.
type Kind uint8

// The transports.
const (
	OverWebSocket Kind = iota + 1
	OverSSE
	OverMultipart
)

// Subscriber describes one who is subscribed.
type Subscriber struct {
	ID            int64
	Context       context.Context // with who it is
	Project       int64
	Field         string
	OperationName string
	Since         time.Time
	Sharing       int // who listen to the same execution; 0 while it is executed for this one alone
	Sent          int64
	Behind        int // payloads that it has not taken
	Kind          Kind
}

// Subscribers returns those who follow a project, in order of their ids.
func (s *Subscriptions) Subscribers(project int64) []Subscriber {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Subscriber
	for _, sub := range s.subscribers {
		if sub.plan.Project == project {
			list = append(list, sub.describe())
		}
	}
	slices.SortFunc(list, func(a, b Subscriber) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (s *subscriber) describe() Subscriber {
	d := Subscriber{
		ID: s.id, Context: s.ctx, Project: s.plan.Project, Field: s.plan.Field, OperationName: s.name, Since: s.since,
		Sent: s.sent.Load(), Kind: s.kind,
	}
	if l := s.listener.Load(); l != nil {
		d.Sharing, d.Behind = l.Sharing(), l.Lag()
	}
	return d
}

// Kick ends a subscription to something of a project with err; false: there is none of this id.
func (s *Subscriptions) Kick(project, id int64, err error) bool {
	s.mu.Lock()
	sub := s.subscribers[id]
	s.mu.Unlock()
	if sub == nil || sub.plan.Project != project {
		return false
	}
	sub.end(err)
	return true
}
