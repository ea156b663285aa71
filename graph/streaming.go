package graph

import (
	"context"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/graph/transport"
)

// streamSession gives a response that goes on what initSocket gives a socket: it ends with the credential that its request came by,
// and when that is revoked.
func streamSession(known *rights) func(context.Context) (context.Context, transport.Session) {
	return func(ctx context.Context) (context.Context, transport.Session) {
		ctx, session := newSession(ctx)
		session.claimed(ctx, known.watch(ctx, 0))
		return ctx, transport.Session{Expires: auth.FromContext(ctx).Expires}
	}
}

// owner names who asks. All credentials of a person are the same: another one may use the stream that he has reserved.
func owner(ctx context.Context) string { return nameOf(auth.FromContext(ctx)) }
