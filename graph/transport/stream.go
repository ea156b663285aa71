package transport

import (
	"context"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/live"
)

// Stream makes the events of one execution of a subscription. It is pulled: by the one goroutine that executes, which encodes
// an event before it asks for the next. So a stream needs no goroutine and no locks of its own.
//
// Where an operation is executed for all who share it (Part.Shared), First is called whenever somebody has come, between
// two calls of Next, and its event goes to those who came alone; they get all later ones of Next. Where it is executed for
// one alone only Next is called, from what that one has asked for up to a mark that says Live, from where the shared
// execution can go on.
type Stream[T any] interface {
	// First returns what a newcomer gets first: the state behind the event of Next that was returned last. ErrNothing: he gets
	// nothing. again says that they were here before but lagged behind; it is only asked of streams without places.
	First(ctx context.Context, again bool) (T, Mark, error)
	// Next waits for the next event. When ctx ends it returns ctx's error and has lost nothing: it will be called again. Any
	// other error ends the execution; io.EOF as it ends for the client's eyes: complete.
	Next(ctx context.Context) (T, Mark, error)
	// Place returns the journal offset up to which nothing is left to be returned by Next; it may move on between two events.
	// 0 of a stream whose events have no places.
	Place() int64
	// Until bounds an execution for one alone: Next returns what is left up to the offset and nothing beyond it, then io.EOF.
	Until(offset int64)
	// Close lets go of what the stream holds. It is called once, after the last call.
	Close()
}

// ErrNothing is the answer of First when there is nothing to say.
var ErrNothing = live.ErrNothing

// Mark is what a transport has to know of an event.
type Mark struct {
	Place     int64     // the journal offset up to which its receiver has had everything; 0 without places, or in the midst of history
	Cursor    string    // where to go on after it, as clients send it; empty: nowhere
	Live      bool      // of an execution for one alone: it has come to where the shared execution is
	Committed time.Time // when the newest that it tells of was committed; zero: of nothing
	Gap       string    // the policy by which something was left out before it; empty: nothing was
}

// Part says which part of an operation is being executed. The zero Part is all of it, for one subscriber alone.
type Part struct {
	// Shared: for all who have asked the same. The arguments that say where to begin do not count: it begins now.
	Shared bool
	// Behind: for one who had everything up to the offset Place, and lags behind what is shared.
	Behind bool
	Place  int64
	// After is a cursor that counts in place of the argument: of a client that comes back by its transport's own means.
	After string
	// Project is that of the Plan, whatever the arguments would mean by now; 0: it has none.
	Project int64
}

type partKey struct{}

// PartOf returns the part that is being executed. A resolver asks Planning first.
func PartOf(ctx context.Context) Part {
	p, _ := ctx.Value(partKey{}).(Part)
	return p
}

func withPart(ctx context.Context, p Part) context.Context {
	return context.WithValue(ctx, partKey{}, p)
}

// Planning reports whether the execution that ctx belongs to only asks how the subscription is to be executed: the resolver
// checks its arguments and the rights, and answers by Propose.
func Planning(ctx context.Context) bool {
	desk, ok := ctx.Value(deskKey{}).(*desk)
	return ok && desk.planning
}

// Propose is what the resolver of a subscription returns when it is asked for its plan.
func Propose[T any](ctx context.Context, plan Plan) (<-chan T, error) {
	if desk, ok := ctx.Value(deskKey{}).(*desk); ok {
		desk.plan = &plan
	}
	never := make(chan T)
	close(never)
	return never, nil
}

// Pull is what the resolver of a subscription returns else: the events of s, as its execution asks for them. Fault Internal
// outside of one. s is closed by the execution.
func Pull[T any](ctx context.Context, s Stream[T]) (<-chan T, error) {
	desk, ok := ctx.Value(deskKey{}).(*desk)
	if !ok {
		s.Close()
		return nil, fault.New(fault.Internal, "a subscription without an execution")
	}
	events := make(chan T, 1) // never full: an event is taken out before the next is asked for
	desk.stream = pulled[T]{s, events}
	return events, nil
}

type deskKey struct{}

// desk is where a resolver leaves what it has for the execution that its context belongs to.
type desk struct {
	planning bool
	plan     *Plan
	stream   slot
}

// slot is a stream of whatever events.
type slot interface {
	first(ctx context.Context, again bool) (Mark, error)
	next(ctx context.Context) (Mark, error)
	place() int64
	until(offset int64)
	close()
}

// pulled is a stream and the channel by which gqlgen gets its events.
type pulled[T any] struct {
	stream Stream[T]
	events chan T
}

func (p pulled[T]) first(ctx context.Context, again bool) (Mark, error) {
	e, mark, err := p.stream.First(ctx, again)
	if err == nil {
		p.events <- e
	}
	return mark, err
}

func (p pulled[T]) next(ctx context.Context) (Mark, error) {
	e, mark, err := p.stream.Next(ctx)
	if err == nil {
		p.events <- e
	}
	return mark, err
}

func (p pulled[T]) place() int64       { return p.stream.Place() }
func (p pulled[T]) until(offset int64) { p.stream.Until(offset) }
func (p pulled[T]) close()             { p.stream.Close(); close(p.events) }
