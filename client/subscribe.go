package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"strings"
	"time"
)

// Request is an operation to execute.
type Request struct {
	Query         string         `json:"query"`
	Variables     map[string]any `json:"variables,omitempty"`
	OperationName string         `json:"operationName,omitempty"` // needed where Query has several
	Extensions    map[string]any `json:"extensions,omitempty"`    // such as {"timing": true}
}

// Event is one result of a subscription.
type Event struct {
	Data       json.RawMessage
	Errors     Errors          // what went wrong with fields of Data
	Extensions json.RawMessage // nil where there are none
	// Patch is what `live` sends in place of Data where the request's extensions have {"patch": true}: a JSON patch to the
	// data of the event before, whose Revision is one less.
	Patch    json.RawMessage
	Revision int64

	// Cursor is the member `cursor` of the field that is subscribed to: where to go on after this event. Empty where there is none.
	Cursor string
	// Anew is true in the first event behind a broken connection where there was no cursor to go on after: the subscription
	// has begun again, and tells from its beginning what it has told before.
	Anew bool
}

// Subscribe executes a subscription, of which it holds a connection of its own, and gives its events until the caller leaves the
// loop, or it ends: completed by the server, by ctx, or by an error that is Final, which comes last. Each range over what it
// returns is another execution.
//
// When the connection breaks it connects again, and goes on after the last event's Cursor by sending it as the variable
// `after`, and no variable `from`: so the operation declares `$after: Cursor`, gives it to the field as its argument, and
// selects `cursor`. One that does not begins again, and says so by Anew.
//
// A caller that takes its time does not hold up the server, which keeps or skips events as the operation has asked (`onLag`);
// one that stays away for long loses the connection, and goes on like after any other break.
func (c *Client) Subscribe(ctx context.Context, r Request) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s := &subscription{client: c, request: r, yield: yield, resumes: strings.Contains(r.Query, "$after")}
		if err := s.run(ctx); err != nil && !errors.Is(err, errLeft) {
			yield(Event{}, err)
		}
	}
}

// errLeft is why a subscription ends whose caller has left the loop.
var errLeft = errors.New("the caller has left")

// subscription is one range over what Subscribe returns.
type subscription struct {
	client  *Client
	request Request
	yield   func(Event, error) bool
	resumes bool // by the variable `after`

	cursor   string // of the last event that had one
	begun    bool   // there was an event
	again    bool   // the connection is not the first, and goes on after no cursor
	failures int    // attempts since the last event
}

// run returns nil when the server has completed the subscription.
func (s *subscription) run(ctx context.Context) error {
	if _, err := json.Marshal(s.request); err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	for {
		err := s.attempt(ctx)
		switch {
		case err == nil || errors.Is(err, errLeft):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case Final(err):
			return err
		}
		s.failures++
		if err := s.pause(ctx, err); err != nil {
			return err
		}
		s.again = s.begun && !s.goesOn()
	}
}

// attempt connects and gives events until the connection ends.
func (s *subscription) attempt(ctx context.Context) error {
	socket, err := s.client.connect(ctx)
	if err != nil {
		return err
	}
	defer socket.close()
	if err := socket.subscribe(s.next()); err != nil {
		return err
	}
	for {
		p, err := socket.next()
		if err != nil || p == nil {
			return err
		}
		if err := s.give(p); err != nil {
			return err
		}
	}
}

// next returns what to ask for now.
func (s *subscription) next() Request {
	r := s.request
	if s.goesOn() {
		r.Variables = maps.Clone(r.Variables)
		if r.Variables == nil {
			r.Variables = map[string]any{}
		}
		delete(r.Variables, "from")
		r.Variables["after"] = s.cursor
	}
	return r
}

func (s *subscription) goesOn() bool { return s.resumes && s.cursor != "" }

// give gives an event to the caller.
func (s *subscription) give(p *payload) error {
	e := Event{
		Data: p.Data, Errors: p.Errors, Extensions: p.Extensions, Patch: p.Patch, Revision: p.Revision,
		Cursor: cursorIn(p.Data), Anew: s.again,
	}
	if e.Cursor != "" {
		s.cursor = e.Cursor
	}
	s.begun, s.again, s.failures = true, false, 0
	if !s.yield(e, nil) {
		return errLeft
	}
	return nil
}

// pause waits before the next attempt.
func (s *subscription) pause(ctx context.Context, reason error) error {
	backoff := s.client.Backoff
	if backoff == nil {
		backoff = jitter
	}
	wait := max(backoff(s.failures), waitOf(reason))
	if s.client.OnRetry != nil {
		s.client.OnRetry(reason, wait)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// jitter is the wait where nobody has said another: random, so that not all clients of a server that restarts come at once.
func jitter(failures int) time.Duration {
	const first, most = 200 * time.Millisecond, 15 * time.Second
	return rand.N(min(first<<min(failures-1, 10), most))
}

// cursorIn finds the member `cursor` of the one field that a subscription has.
func cursorIn(data json.RawMessage) string {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(data, &fields) // null with an error
	for _, value := range fields {
		var field struct {
			Cursor string `json:"cursor"`
		}
		if json.Unmarshal(value, &field) == nil {
			return field.Cursor
		}
	}
	return ""
}
