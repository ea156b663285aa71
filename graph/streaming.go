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
		session.claim = known.watch(ctx, 0)
		context.AfterFunc(ctx, session.claim.Close)
		return ctx, transport.Session{Expires: auth.FromContext(ctx).Expires}
	}
}

// streamOwner names who asks: another credential of the same person may use the stream that he has reserved.
func streamOwner(ctx context.Context) string { return nameOf(auth.FromContext(ctx)) }
