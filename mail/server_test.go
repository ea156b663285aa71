package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// relay is an SMTP server that behaves as a test wants it to.
type relay struct {
	addr     string
	roots    *x509.CertPool
	rcpt     func(to string) error // nil takes all
	data     func() error          // nil takes all; called when the text has been read
	password string                // of the user readout; empty = nobody logs in

	mu       sync.Mutex
	received []received // guarded by mu
}

type received struct{ from, to, text string }

type encryption int

const (
	plain encryption = iota
	startTLS
	implicitTLS
)

// serve starts r on a loopback address.
func (r *relay) serve(t *testing.T, e encryption) *relay {
	t.Helper()
	cert, roots := certificate(t)
	r.roots = roots
	s := smtp.NewServer(r)
	s.Domain, s.AllowInsecureAuth, s.ErrorLog = "relay.test", true, log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = listener.Addr().String()
	secure := &tls.Config{Certificates: []tls.Certificate{cert}}
	switch e {
	case startTLS:
		s.TLSConfig = secure
	case implicitTLS:
		listener = tls.NewListener(listener, secure)
	}
	done := make(chan struct{})
	go func() { _ = s.Serve(listener); close(done) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return r
}

func (r *relay) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received{}, r.received...)
}

// NewSession is called by the server for each connection.
func (r *relay) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{relay: r, conn: c}, nil
}

type session struct {
	relay    *relay
	conn     *smtp.Conn
	loggedIn bool
	got      received
}

func (s *session) AuthMechanisms() []string {
	if s.relay.password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "readout" || password != s.relay.password {
			return smtp.ErrAuthFailed
		}
		s.loggedIn = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.relay.password != "" && !s.loggedIn {
		return smtp.ErrAuthRequired
	}
	s.got.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.got.to = to
	if s.relay.rcpt != nil {
		return s.relay.rcpt(to)
	}
	return nil
}

func (s *session) Data(text io.Reader) error {
	b, err := io.ReadAll(text)
	if err != nil {
		return err
	}
	if s.relay.data != nil {
		if err := s.relay.data(); err != nil {
			return err
		}
	}
	s.got.text = string(b)
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	s.relay.received = append(s.relay.received, s.got)
	return nil
}

func (s *session) Reset()        { s.got = received{} }
func (s *session) Logout() error { return nil }

// certificate returns one for 127.0.0.1 and relay.test, and who trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"relay.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
