package graph

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

// initSocket authenticates a socket by the payload {"authorization": "Bearer …"} of connection_init, or by the header of
// the upgrade, for clients that can set one.
func initSocket(a *auth.Authenticator) func(*http.Request, json.RawMessage) (context.Context, transport.Session, error) {
	return func(r *http.Request, payload json.RawMessage) (context.Context, transport.Session, error) {
		var given struct {
			Authorization string `json:"authorization"`
		}
		if len(payload) > 0 {
			if err := json.Unmarshal(payload, &given); err != nil {
				return nil, transport.Session{}, fault.New(fault.BadRequest, "the payload is an object with authorization: \"Bearer …\"")
			}
		}
		if given.Authorization != "" {
			if len(r.Header.Values("Authorization")) > 0 {
				return nil, transport.Session{}, fault.New(fault.BadRequest, "send one credential, not two")
			}
			r.Header.Set("Authorization", given.Authorization)
		}
		ctx, err := a.Request(r)
		if err == nil && auth.FromContext(ctx) == nil {
			err = errNoCredential
		}
		if err != nil {
			return nil, transport.Session{}, err
		}
		return withEnd(ctx), transport.Session{Expires: auth.FromContext(ctx).Expires}, nil
	}
}

type endKey struct{}

// withEnd returns a context whose operations can end their socket with a reason.
func withEnd(ctx context.Context) context.Context {
	ctx, end := context.WithCancelCause(ctx)
	return context.WithValue(ctx, endKey{}, end)
}

// endSocket closes the socket that ctx belongs to, with the code and the message of err.
func endSocket(ctx context.Context, err error) {
	if end, ok := ctx.Value(endKey{}).(context.CancelCauseFunc); ok {
		end(err)
	}
}
