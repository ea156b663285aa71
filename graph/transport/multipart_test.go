package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

const (
	asParts   = "multipart/mixed;subscriptionSpec=1.0, application/json;q=0.9"
	heartbeat = "{}"
)

// parts is a multipart answer that is being read.
type parts struct {
	*testing.T
	*multipart.Reader
}

// read opens a multipart stream.
func (l *library) read(query string) parts {
	l.t.Helper()
	resp := l.send("GET", "/?query="+url.QueryEscape(query), "", "Accept", asParts)
	media, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || media != "multipart/mixed" || params["boundary"] != "graphql" || params["subscriptionspec"] != "1.0" {
		l.t.Fatalf("Content-Type is %q: %v", resp.Header.Get("Content-Type"), err)
	}
	return parts{l.t, multipart.NewReader(resp.Body, params["boundary"])}
}

// expect fails the test unless these parts come next.
func (p parts) expect(want ...string) {
	p.Helper()
	for _, w := range want {
		part, err := p.NextPart()
		if err != nil {
			p.Fatalf("want %s, got %v", w, err)
		}
		if part.Header.Get("Content-Type") != "application/json" {
			p.Errorf("header is %v", part.Header)
		}
		var got json.RawMessage
		if err := json.NewDecoder(part).Decode(&got); err != nil || string(got) != w {
			p.Fatalf("want %s, got %s %v", w, got, err)
		}
	}
}

// expectEnd fails the test unless the last boundary is next.
func (p parts) expectEnd() {
	p.Helper()
	if _, err := p.NextPart(); !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		p.Fatalf("want the end, got %v", err)
	}
}

func TestPartsTellOfResults(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		f := func(query string, want ...string) {
			t.Helper()
			p := l.read(query)
			p.expect(want...)
			p.expectEnd()
		}
		f(`{hello}`, `{"payload":{"data":{"hello":"world"}}}`)
		f(`{fails}`, `{"payload":{"errors":[{"message":"it failed"}],"data":{"fails":null}}}`)
		f(`subscription{count(to:2)}`, `{"payload":{"data":{"count":1}}}`, `{"payload":{"data":{"count":2}}}`)
		f(`subscription{nothing}`, `{"payload":{"errors":[{"message":"Cannot query field \"nothing\" on type \"Subscription\".","locations":[{"line":1,"column":14}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}}`)
		f(`subscription{refused}`, `{"payload":{"errors":[{"message":"forbidden: not yours"}]}}`)
		f(`subscription{gives}`, `{"payload":{"data":{"gives":1}}}`, `{"payload":null,"errors":[{"message":"too slow","extensions":{"code":"TOO_MANY_REQUESTS"}}]}`)
	})
}

func TestPartsAreDividedAsTheProtocolSays(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		const part = "\r\n--graphql\r\nContent-Type: application/json\r\n\r\n"
		want := part + `{"payload":{"data":{"count":1}}}` + part + `{"payload":{"data":{"count":2}}}` + "\r\n--graphql--\r\n"
		got := l.ask("POST", "/", `{"query":"subscription{count(to:2)}"}`, "Accept", asParts)
		if got.body != want || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("got %q %v", got.body, got.header)
		}
	})
}

func TestPartIsFollowedAtOnceByTheBoundaryThatEndsIt(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		resp := l.send("GET", "/?query=subscription%7Bticks%7D", "", "Accept", asParts)
		l.ticks <- 1
		got, start := "", time.Now()
		for piece := make([]byte, 1000); !strings.HasSuffix(got, "}\r\n--graphql"); {
			n, err := resp.Body.Read(piece)
			got += string(piece[:n])
			if err != nil || time.Since(start) > time.Second {
				t.Fatalf("got %q %v", got, err)
			}
		}
	})
}

func TestSilentPartsHaveAHeartbeat(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		p, start := l.read(`subscription{numbers}`), time.Now()
		p.expect(heartbeat, heartbeat, heartbeat)
		if got := time.Since(start).Round(time.Second); got < 15*time.Second || got > 20*time.Second { // what follows a part may be waited for
			t.Errorf("it took %v", got)
		}
		l.publish(1)
		p.expect(`{"payload":{"data":{"numbers":1}}}`)
	})
}

func TestPartsEndWithTheirRights(t *testing.T) {
	t.Parallel()
	expires := func(s *transport.Streaming) {
		s.Session = func(ctx context.Context) (context.Context, transport.Session) {
			return ctx, transport.Session{Expires: time.Now().Add(3 * time.Second)}
		}
	}
	inLibrary(t, expires, func(l *library) {
		p := l.read(`subscription{numbers}`)
		p.expect(`{"payload":null,"errors":[{"message":"the credential has expired","extensions":{"code":"UNAUTHENTICATED"}}]}`)
		p.expectEnd()
	})
}

func TestPartsSayThatTheServerIsAway(t *testing.T) {
	t.Parallel()
	inLibrary(t, nil, func(l *library) {
		p := l.read(`subscription{numbers}`)
		l.fail(fault.New(fault.Unavailable, "the database is away"))
		p.expect(`{"payload":null,"errors":[{"message":"the database is away","extensions":{"code":"UNAVAILABLE"}}]}`)
		p.expectEnd()
		p = l.read(`subscription{ticks}`)
		go l.shutdown() // which waits until this is read
		p.expect(`{"payload":null,"errors":[{"message":"the server is restarting","extensions":{"code":"UNAVAILABLE"}}]}`)
		p.expectEnd()
	})
}
