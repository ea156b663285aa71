package transport

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/readout-dev/readout/internal/fault"
)

// Plan says how a subscription is executed: with whom it shares, and who may go on receiving it. Whoever plans has checked
// that the subscriber may have it now.
type Plan struct {
	// Share names the rights of the shared execution: operations that say the same, under the same name, share one. Empty: this
	// one is executed for itself alone.
	Share string
	// Rights returns ctx with the principal of the shared execution, which sees what each of those who share may see.
	Rights func(ctx context.Context) context.Context
	// Begins are the names of the field's arguments that say where one subscriber begins: of no concern to what is shared.
	Begins []string
	// Alone: this one begins with something of its own, before it goes on with what is shared.
	Alone bool
	// Places: events have places in the journal: who lags behind goes on from his own, and does not begin anew.
	Places bool
	// Check is asked before each answer is sent to this subscriber: an error (Unauthenticated: of the whole socket) ends it.
	// It answers from memory and is safe for concurrent use. nil: always allowed.
	Check func() error
	// Close lets go of what the plan holds, when the subscription is over. nil: nothing.
	Close func()
	// Answers makes an execution, where it is not a subscription as gqlgen executes it; nil: it is. Part is in ctx.
	Answers func(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams) (Answers, error)

	Project int64  // that it follows, for Subscribers; 0: none
	Field   string // that is subscribed to
}

// Answers makes the payloads of one execution, as a Stream makes events: by one goroutine. See Stream for what each method means.
// A failure is an Answer that Failed. It is the last: io.EOF follows; but for one of First that is the newcomers' alone.
type Answers interface {
	First(ctx context.Context, again bool) (*Answer, error)
	Next(ctx context.Context) (*Answer, error)
	Place() int64
	Until(offset int64)
	Close()
}

// Answer is one result of an execution, encoded: what follows `"payload":` or `data:`. It is shared and read only.
type Answer struct {
	Mark
	Body      json.RawMessage // one JSON object: an execution result
	Published time.Time       // when it was encoded, for all
	Failed    bool            // Body is a list of errors, and the operation is over: execution never began, or was given up
	framed    atomic.Pointer[framed]
	Fault     *fault.Error // why it was given up; Unauthenticated, Unavailable and Lagging concern all of a socket
}
