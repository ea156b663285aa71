package graph

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/readout-dev/readout/auth"
)

// session is one connection of a client, a socket or a request, with the credential that it came by.
type session struct {
	end     context.CancelCauseFunc // with the reason that the client is told
	expires atomic.Int64            // when the credential does, in microseconds since 1970; 0: never
	claim   atomic.Pointer[claim]   // of a socket: to be connected at all
	unwatch func() bool             // keeps the claim from being closed with the connection; of whoever reads from it
}

type sessionKey struct{}

// newSession returns a context for what the principal of ctx does on one connection, which can be ended with a reason.
func newSession(ctx context.Context) (context.Context, *session) {
	s := &session{}
	ctx, s.end = context.WithCancelCause(ctx)
	s.renew(auth.FromContext(ctx))
	return context.WithValue(ctx, sessionKey{}, s), s
}

// noSession is that of what no client has asked for.
var noSession = &session{end: func(error) {}}

func sessionOf(ctx context.Context) *session {
	if s, ok := ctx.Value(sessionKey{}).(*session); ok {
		return s
	}
	return noSession
}

// renew has the session last as long as the credential of p.
func (s *session) renew(p *auth.Principal) {
	if p == nil || p.Expires.IsZero() {
		s.expires.Store(0)
		return
	}
	s.expires.Store(p.Expires.UnixMicro())
}

// expired reports whether the credential has.
func (s *session) expired() bool {
	at := s.expires.Load()
	return at != 0 && time.Now().UnixMicro() >= at
}

// check returns nil while the client may use its connection; else fault Unauthenticated.
func (s *session) check() error {
	c := s.claim.Load()
	if c == nil { // a request, which has just been let in
		return nil
	}
	return c.check()
}

// claimed has the session last as long as c, instead of what it has claimed before. ctx is the session's.
func (s *session) claimed(ctx context.Context, c *claim) {
	if was := s.claim.Swap(c); was != nil {
		s.unwatch()
		was.Close()
	}
	s.unwatch = context.AfterFunc(ctx, c.Close)
}

// login returns the log-in that the connection of p lasts as long as: that of the token which was shown last.
func (s *session) login(p *auth.Principal) int64 {
	if c := s.claim.Load(); c != nil {
		return c.hold.session
	}
	return p.Session
}
