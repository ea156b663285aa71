package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

const renewal = `{"type":"ping","payload":{"authorization":"Bearer %s"}}`

// renewable has sessions of 15 minutes, which a ping renews: for the duration that stands in place of a token.
func renewable(ws *transport.WebSocket) {
	ws.Init = func(r *http.Request, _ json.RawMessage) (context.Context, transport.Session, error) {
		return r.Context(), transport.Session{Expires: time.Now().Add(15 * time.Minute)}, nil
	}
	ws.Renew = func(ctx context.Context, payload json.RawMessage) (transport.Session, error) {
		var given struct{ Authorization string }
		if err := json.Unmarshal(payload, &given); err != nil || ctx.Err() != nil {
			return transport.Session{}, errors.Join(err, ctx.Err())
		}
		switch token := given.Authorization[len("Bearer "):]; token {
		case "for ever":
			return transport.Session{}, nil
		case "bad":
			return transport.Session{}, fault.New(fault.Unauthenticated, "no valid credential")
		case "panic":
			panic("secret panic")
		default:
			rest, err := time.ParseDuration(token)
			return transport.Session{Expires: time.Now().Add(rest)}, err
		}
	}
}

func TestPingRenewsTheRightsOfASocket(t *testing.T) {
	t.Parallel()
	onSyntheticTime(t, renewable, func(w *world) {
		c := w.join(w.t)
		start := time.Now()
		go func() {
			time.Sleep(10 * time.Minute)
			c.send(renewal, "1h")
		}()
		expires := start.Add(70 * time.Minute)
		c.expect(fmt.Sprintf(`{"type":"pong","payload":{"expires":"%s"}}`, expires.UTC().Format(time.RFC3339Nano)))
		c.expectClose(4403, "the credential has expired")
		w.took(start, 70*time.Minute)
	})
}

func TestRightsThatNeverEndNeedNoTimer(t *testing.T) {
	t.Parallel()
	onSyntheticTime(t, renewable, func(w *world) {
		c := w.join(w.t)
		c.send(renewal, "for ever")
		c.expect(`{"type":"pong","payload":{"expires":null}}`)
		go func() {
			time.Sleep(time.Hour)
			c.send(`{"type":"ping"}`)
		}()
		c.expect(`{"type":"pong"}`)
	})
}

func TestRenewalThatIsRefusedClosesTheSocket(t *testing.T) {
	t.Parallel()
	f := func(token string, code int, reason string) {
		t.Helper()
		onSyntheticTime(t, renewable, func(w *world) {
			c := w.join(w.t)
			c.send(renewal, token)
			c.expectClose(code, reason)
		})
	}
	f("bad", 4403, "no valid credential")
	f("-1s", 4403, "the credential has expired")
	f("gibberish", 1011, "something went wrong here; the request id leads to the log line")
	f("panic", 1011, "something went wrong here; the request id leads to the log line")
}

func TestSocketOutlivesARenewalThatTakesLongerThanTheClientMayBeSilent(t *testing.T) {
	t.Parallel()
	slow := func(ws *transport.WebSocket) {
		renewable(ws)
		ws.Ping = 5 * time.Second
		renew := ws.Renew
		ws.Renew = func(ctx context.Context, payload json.RawMessage) (transport.Session, error) {
			time.Sleep(15 * time.Second)
			return renew(ctx, payload)
		}
	}
	onSyntheticTime(t, slow, func(w *world) {
		c := w.join(w.t)
		c.SetPingHandler(func(string) error { return nil }) // nobody reads its pongs meanwhile
		c.send(renewal, "for ever")
		c.expect(`{"type":"pong","payload":{"expires":null}}`)
		c.send(`{"type":"ping"}`)
		c.expect(`{"type":"pong"}`)
	})
}

func TestOtherPingsRenewNothing(t *testing.T) {
	t.Parallel()
	f := func(option func(*transport.WebSocket), greeted bool, payload string) {
		t.Helper()
		onSyntheticTime(t, option, func(w *world) {
			c := w.dial(w.t, nil)
			if greeted {
				c = w.join(w.t)
			}
			c.send(`{"type":"ping","payload":%s}`, payload)
			c.expect(`{"type":"pong","payload":` + payload + `}`)
		})
	}
	f(renewable, true, `{"n":1}`)
	f(renewable, false, `{"authorization":"Bearer bad"}`) // who nobody knows yet has nothing to renew
	f(nil, true, `{"authorization":"Bearer bad"}`)
}

func TestIdleSocketClosesAtOnceWhenItsRightsAreRevoked(t *testing.T) {
	t.Parallel()
	var revoke context.CancelCauseFunc
	revocable := func(ws *transport.WebSocket) {
		ws.Init = func(r *http.Request, _ json.RawMessage) (ctx context.Context, _ transport.Session, _ error) {
			ctx, revoke = context.WithCancelCause(r.Context())
			return ctx, transport.Session{}, nil
		}
	}
	onSyntheticTime(t, revocable, func(w *world) {
		c := w.join(w.t)
		synctest.Wait()
		start := time.Now()
		revoke(fault.New(fault.Unauthenticated, "the key was revoked"))
		c.expectClose(4403, "the key was revoked")
		if took := time.Since(start); took != 0 {
			w.t.Errorf("it took %v", took)
		}
	})
}
