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
// the upgrade, for clients that can set one. The socket ends when what it came by is revoked.
func initSocket(a *auth.Authenticator, known *rights) func(*http.Request, json.RawMessage) (context.Context, transport.Session, error) {
	return func(r *http.Request, payload json.RawMessage) (context.Context, transport.Session, error) {
		given, err := authorizationIn(payload)
		if err != nil {
			return nil, transport.Session{}, err
		}
		if given != "" {
			if len(r.Header.Values("Authorization")) > 0 {
				return nil, transport.Session{}, fault.New(fault.BadRequest, "send one credential, not two")
			}
			r.Header.Set("Authorization", given)
		}
		ctx, err := a.Request(r)
		if err == nil && auth.FromContext(ctx) == nil {
			err = errNoCredential
		}
		if err != nil {
			return nil, transport.Session{}, err
		}
		ctx, session := newSession(ctx)
		session.claimed(ctx, known.watch(ctx, 0))
		return ctx, transport.Session{Expires: auth.FromContext(ctx).Expires}, nil
	}
}

// renewSocket lets a socket last as long as the new credential that its client sends, in a payload as that of
// connection_init, before the old one expires. It has to be of the same person, or be the same key: fault Forbidden. From then
// on the socket ends with the log-in of the new one.
func renewSocket(a *auth.Authenticator, known *rights) func(context.Context, json.RawMessage) (transport.Session, error) {
	return func(ctx context.Context, payload json.RawMessage) (transport.Session, error) {
		given, err := authorizationIn(payload)
		if err != nil {
			return transport.Session{}, err
		}
		request := &http.Request{Header: http.Header{"Authorization": {given}}}
		renewed, err := a.Request(request.WithContext(ctx))
		if err != nil {
			return transport.Session{}, err
		}
		session, was, is := sessionOf(ctx), auth.FromContext(ctx), auth.FromContext(renewed)
		if is.User != was.User || is.Key != was.Key {
			return transport.Session{}, fault.New(fault.Forbidden, "this is the credential of somebody else: open another socket")
		}
		session.renew(is)
		session.claimed(ctx, known.watch(renewed, 0))
		return transport.Session{Expires: is.Expires}, nil
	}
}

// authorizationIn returns what a payload has for the header Authorization; empty when it has nothing.
func authorizationIn(payload json.RawMessage) (string, error) {
	var given struct {
		Authorization string `json:"authorization"`
	}
	if len(payload) == 0 {
		return "", nil
	}
	if err := json.Unmarshal(payload, &given); err != nil {
		return "", fault.New(fault.BadRequest, "the payload is an object with authorization: \"Bearer …\"")
	}
	return given.Authorization, nil
}
