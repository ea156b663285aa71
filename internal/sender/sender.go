// Package sender sends readings to a Readout server over HTTP, as a careful gateway would: it waits when the server asks
// it to, tries again when the connection breaks, and says clearly what the server refused.
//
// It decides nothing about what is sent or in which order; see Sender for one request and AppendColumn for its body.
package sender

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// Sender sends to one server. Set its fields before the first Send; it is then safe for concurrent use.
type Sender struct {
	URL string // the server's address, as http://127.0.0.1:8080, with or without a path before /v1/readings
	Key string // a device's or a project's key

	HTTP     *http.Client  // nil: one of the package's, which waits a minute for an answer and follows no redirects
	Gzip     bool          // compress bodies
	Patience time.Duration // how long one Send keeps trying; 0 means 2 minutes, below 0 one try
	OnRetry  func(Retry)   // nil, or told of each failed try before the wait; called by Send's goroutine
}

// Retry is a try that failed and the wait before the next.
type Retry struct {
	Err  error
	Wait time.Duration
}

// Ack is the server's word that a body's readings are stored.
type Ack struct {
	Accepted int   `json:"accepted"` // readings taken; those of one series and time are stored once
	Late     int   `json:"late"`     // of them, not newer than the latest of their series
	Offset   int64 `json:"offset"`   // place in the project's journal
}

// Send posts a body, whose integer times are microseconds, to /v1/readings and returns when it is stored. On 429, 502,
// 503, 504 and broken connections it waits, as long as Retry-After says or longer each time, and sends the same body
// again: a reading sent twice is one reading. What is left of Patience and ctx bound the waits.
//
// Its errors are ctx's, or a *fault.Error: what the server refused, with its code, its detail and the index of the bad
// item; Unavailable (or TooMany) when patience ran out; Invalid for a URL or key that cannot be sent to.
func (s *Sender) Send(ctx context.Context, body []byte) (Ack, error) {
	target, err := s.target()
	if err != nil {
		return Ack{}, err
	}
	if s.Gzip {
		if body, err = compressed(body); err != nil {
			return Ack{}, err
		}
	}
	deadline := time.Now().Add(s.patience())
	for try := 0; ; try++ {
		ack, err := s.post(ctx, target, body)
		var temporary *temporaryError
		if ctx.Err() != nil && err != nil {
			return Ack{}, ctx.Err()
		}
		if !errors.As(err, &temporary) {
			return ack, err
		}
		wait := temporary.fault.RetryAfter
		if wait == 0 {
			wait = backoff(try)
		}
		if time.Now().Add(wait).After(deadline) {
			return Ack{}, temporary.fault
		}
		if s.OnRetry != nil {
			s.OnRetry(Retry{Err: temporary.fault, Wait: wait})
		}
		if err := sleep(ctx, wait); err != nil {
			return Ack{}, err
		}
	}
}

func (s *Sender) patience() time.Duration {
	if s.Patience == 0 {
		return 2 * time.Minute
	}
	return s.Patience
}

// Check tells, as Send would, whether URL and Key can be sent to at all: the fault is Invalid.
func (s *Sender) Check() error {
	_, err := s.target()
	return err
}

// target returns where to post to.
func (s *Sender) target() (string, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return "", fault.New(fault.Invalid, "the URL must be a server's address such as http://127.0.0.1:8080")
	}
	for _, c := range s.Key {
		if c <= ' ' || c > '~' {
			return "", fault.New(fault.Invalid, "the key has characters that no key has")
		}
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/v1/readings"
	u.RawQuery = "precision=us"
	return u.String(), nil
}

// client is shared, so that senders share connections. A redirect is an error: it would turn the POST into a GET.
var client = &http.Client{
	Timeout:       time.Minute,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post tries once. What may succeed later is a *temporaryError.
func (s *Sender) post(ctx context.Context, target string, body []byte) (Ack, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return Ack{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.Key)
	if s.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	c := s.HTTP
	if c == nil {
		c = client
	}
	resp, err := c.Do(req)
	if err != nil {
		return Ack{}, unreachable(err)
	}
	defer resp.Body.Close()
	return readAnswer(resp)
}

// temporaryError is a fault that may pass.
type temporaryError struct{ fault *fault.Error }

func (e *temporaryError) Error() string { return e.fault.Error() }

// unreachable is the fault of a request that got no answer: a temporary one, unless TLS does not work out.
func unreachable(err error) error {
	why := "the server cannot be reached"
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &certificate):
		return fault.Wrap(err, fault.Invalid, "the server's certificate is not trusted")
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return fault.Wrap(err, fault.Invalid, "the server does not speak TLS here: is the URL's scheme http?")
	case errors.As(err, &dns) && dns.IsNotFound:
		why = "the server's name is not known"
	case errors.As(err, &timeout) && timeout.Timeout():
		why = "the server does not answer in time"
	}
	return &temporaryError{fault: fault.Wrap(err, fault.Unavailable, "%s", why)}
}

// backoff returns how long to wait after a failed try: from about 0.1 s, twice as long each time, to about 10 s; at
// random within half of it, so that many clients do not come back at once.
func backoff(try int) time.Duration {
	longest := 200 * time.Millisecond << min(try, 6)
	return longest/2 + rand.N(longest/2)
}

// sleep waits for d, or less when ctx ends; then it returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func compressed(body []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		return nil, fmt.Errorf("compress a body: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress a body: %w", err)
	}
	return b.Bytes(), nil
}
