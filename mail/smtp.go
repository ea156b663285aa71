package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"
)

// How long the server may take for one step, and for a message in all.
const (
	stepTimeout = 15 * time.Second
	sendTimeout = 45 * time.Second
)

// SMTPConfig says how mail leaves.
type SMTPConfig struct {
	// URL is smtp://user:password@host:587 (STARTTLS, which is required unless the host is loopback, where there is none) or
	// smtps://user:password@host:465 (TLS from the start). Without a user there is no login; without a port it is 587 or
	// 465. A secret: no error holds it.
	URL  string
	From string // readout@example.com or Readout <readout@example.com>

	Roots *x509.CertPool // who vouches for the server; nil = the system's
}

// SMTP sends by an SMTP server, with a connection for each message.
type SMTP struct {
	server server
	from   string
	domain string
	wait   time.Duration // for one step
	roots  *x509.CertPool
	dial   gomail.DialContextFunc
}

// NewSMTP checks cfg; nothing is connected before the first message. Faults: Invalid, without any part of the URL.
func NewSMTP(cfg SMTPConfig) (*SMTP, error) {
	s, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	from, err := parseFrom(cfg.From)
	if err != nil {
		return nil, err
	}
	return &SMTP{server: s, from: from.String(), domain: domainOf(from.Address), wait: stepTimeout, roots: cfg.Roots, dial: new(net.Dialer).DialContext}, nil
}

// Send hands m to the server. It takes 45 s at most, and ends with ctx. ErrRefused is a message that Check refuses, or a
// recipient or text that the server answers with 5xx. A failed login, a refused sender and all of the server's 4xx are not:
// they may be mended.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, err := s.compose(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	client, err := s.client(ctx)
	if err != nil {
		return fmt.Errorf("set up SMTP: %w", err)
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("connect to the mail server: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := client.SendWithSMTPClient(conn, msg); err != nil {
		return fmt.Errorf("send mail: %w", judge(err))
	}
	_ = client.CloseWithSMTPClient(conn) // the server has the message: a failing goodbye does not undo it
	return nil
}

// judge adds ErrRefused to what the server says of the recipient or of the text and would say again.
func judge(err error) error {
	var failure *gomail.SendError
	if !errors.As(err, &failure) || failure.ErrorCode() < 500 {
		return err
	}
	switch failure.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

func (s *SMTP) compose(m Message) (*gomail.Msg, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(msg.From(s.from), msg.To(m.To)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	msg.SetDate()
	msg.SetMessageIDWithValue(uuid.NewString() + "@" + s.domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation notice is sent back
	msg.Subject(m.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg, nil
}

// client returns a client whose connection is closed when ctx ends.
func (s *SMTP) client(ctx context.Context) (*gomail.Client, error) {
	policy := gomail.TLSMandatory
	if s.server.implicitTLS || s.server.loopback {
		policy = gomail.NoTLS // beyond what connect does
	}
	secure := &tls.Config{RootCAs: s.roots, ServerName: s.server.host, MinVersion: tls.VersionTLS12}
	options := []gomail.Option{
		gomail.WithPort(s.server.port), gomail.WithTimeout(s.wait), gomail.WithoutNoop(),
		gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(secure),
		gomail.WithDialContextFunc(func(dialing context.Context, network, addr string) (net.Conn, error) {
			return s.connect(dialing, ctx, network, addr, secure)
		}),
	}
	if s.server.user != "" {
		options = append(options, gomail.WithUsername(s.server.user), gomail.WithPassword(s.server.password()),
			gomail.WithOpportunisticSMTPAuth(s.logins()...))
	}
	return gomail.NewClient(s.server.host, options...)
}

// connect dials, and closes the connection when whole ends: the library looks at its own context while it dials alone.
func (s *SMTP) connect(dialing, whole context.Context, network, addr string, secure *tls.Config) (net.Conn, error) {
	conn, err := s.dial(dialing, network, addr)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(whole, func() { _ = conn.Close() })
	if s.server.implicitTLS {
		return tls.Client(conn, secure), nil
	}
	return conn, nil
}

// logins are the kinds of login that are preferred; a plain one needs TLS, or a way that does not leave the machine.
func (s *SMTP) logins() []gomail.SMTPAuthType {
	if s.server.loopback && !s.server.implicitTLS {
		return []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc}
	}
	return []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin}
}
