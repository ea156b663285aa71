package transport

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// Session says how long the rights hold that Init or Renew found.
type Session struct {
	Expires time.Time // the socket is closed with 4403 then; zero: never
}

// valid returns why a socket cannot live on with s; fault Forbidden.
func (s Session) valid() error {
	if s.Expires.IsZero() || s.Expires.After(time.Now()) {
		return nil
	}
	return fault.New(fault.Forbidden, "the credential has expired")
}

// init authenticates the client and acknowledges it.
func (s *socket) init(m message) {
	if s.initSeen {
		s.close(closeTooManyInits, "Too many initialisation requests")
		return
	}
	s.initSeen = true
	session, err := s.authenticate(m)
	if err != nil {
		s.refused(err)
		return
	}
	s.watch()
	s.expire(session)
	s.acked, s.owner = true, s.home.owner(s.ctx)
	s.send(s.ctx, nil, appendBare(nil, typeAck, ""))
}

// authenticate asks Init, and takes the context that it gives.
func (s *socket) authenticate(m message) (Session, error) {
	r := s.request
	s.request = nil
	if s.transport.Init == nil {
		return Session{}, nil
	}
	ctx, session, err := s.transport.Init(r, m.raw())
	if err != nil {
		return Session{}, err
	}
	if ctx != nil {
		s.ctx = ctx
	}
	return session, session.valid()
}

// answer answers a ping, by which an acknowledged client may renew its rights.
func (s *socket) answer(m message) {
	_, renews := m.payload["authorization"]
	if renews && s.acked && s.transport.Renew != nil {
		s.renew(m)
		return
	}
	s.pong(m.raw())
}

// renew asks Renew for how long the rights hold from now on, and tells the client.
func (s *socket) renew(m message) {
	session, err := s.transport.Renew(s.ctx, m.raw())
	if err == nil {
		err = session.valid()
	}
	if err != nil {
		s.refused(err)
		return
	}
	s.expire(session)
	s.pong(session.pong())
}

// pong returns what a client is told that has renewed its rights.
func (s Session) pong() json.RawMessage {
	var told struct {
		Expires *time.Time `json:"expires"`
	}
	if !s.Expires.IsZero() {
		expires := s.Expires.UTC()
		told.Expires = &expires
	}
	return json.RawMessage(encode(told))
}

// pong sends a pong with payload; nil: none.
func (s *socket) pong(payload json.RawMessage) {
	if payload == nil {
		s.send(s.ctx, nil, appendBare(nil, typePong, ""))
		return
	}
	s.send(s.ctx, nil, append(append(appendHead(nil, typePong, ""), payload...), '}'))
}

// refused closes the socket because Init or Renew said no.
func (s *socket) refused(err error) {
	f := fault.Of(err)
	if f.Code == fault.Internal {
		s.transport.log().ErrorContext(s.ctx, "authenticate a socket", "error", err)
	}
	s.close(f.Code.Door().Close, f.Message)
}

// expire has the socket closed when the rights end.
func (s *socket) expire(session Session) {
	if session.Expires.IsZero() {
		s.arm(-1, nil)
		return
	}
	s.arm(max(0, time.Until(session.Expires)), s.expired)
}

func (s *socket) expired() { s.close(closeForbidden, "the credential has expired") }

func (s *socket) ungreeted() { s.close(closeInitTimeout, "Connection initialisation timeout") }

// watch has the socket closed when the context of Init ends.
func (s *socket) watch() {
	unwatch := context.AfterFunc(s.ctx, s.revoked)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != 0 {
		unwatch()
		return
	}
	s.unwatch = unwatch
}

// revoked closes the socket because the context that Init gave has ended.
func (s *socket) revoked() {
	code, reason := closeForbidden, "the rights have ended"
	var f *fault.Error
	if errors.As(context.Cause(s.ctx), &f) {
		code, reason = f.Code.Door().Close, f.Message
	}
	s.close(code, reason)
}
