package mail_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/readout-dev/readout/mail"
)

var hello = mail.Message{To: "ada@example.com", Subject: "Grüße", Text: "Bitte öffnen:\nhttps://readout.example.com/verify?t=" + strings.Repeat("x", 100) + "\n.\nEnde"}

// sender returns a sender to r, as url says; %s in it is the address of r.
func (r *relay) sender(t *testing.T, url string) *mail.SMTP {
	t.Helper()
	if strings.Contains(url, "%s") {
		url = fmt.Sprintf(url, r.addr)
	}
	s, err := mail.NewSMTP(mail.SMTPConfig{URL: url, From: "Readout <readout@example.com>", Roots: r.roots})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(url, "relay.test") {
		s.Reach(r.addr)
	}
	return s
}

func TestSMTPDeliversTheTextAsItIs(t *testing.T) {
	t.Parallel()
	r := (&relay{}).serve(t, plain)
	if err := r.sender(t, "smtp://%s").Send(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	all := r.all()
	if len(all) != 1 || all[0].from != "readout@example.com" || all[0].to != "ada@example.com" {
		t.Fatalf("received: %+v", all)
	}
	m, err := netmail.ReadMessage(strings.NewReader(all[0].text))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if got := strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")); err != nil || got != hello.Text {
		t.Errorf("the text is %q (%v), want %q", got, err, hello.Text)
	}
	for name, want := range map[string]string{
		"From": `"Readout" <readout@example.com>`, "To": "<ada@example.com>", "Subject": "=?UTF-8?q?Gr=C3=BC=C3=9Fe?=",
		"Content-Type": "text/plain; charset=UTF-8", "Auto-Submitted": "auto-generated", "User-Agent": "", "X-Mailer": "",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if id := m.Header.Get("Message-Id"); !strings.HasSuffix(id, "@example.com>") {
		t.Errorf("Message-ID: %s, want one of the sender's domain", id)
	}
}

func TestSMTPEncryptsAndLogsIn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		e   encryption
		url string
	}{
		"STARTTLS":     {startTLS, "smtp://readout:s%40crit@relay.test:587"},
		"implicit TLS": {implicitTLS, "smtps://readout:s%%40crit@%s"},
		"loopback":     {plain, "smtp://readout:s%%40crit@%s"},
	} {
		r := (&relay{password: "s@crit"}).serve(t, c.e)
		if err := r.sender(t, c.url).Send(t.Context(), hello); err != nil || len(r.all()) != 1 {
			t.Errorf("%s: %d messages are received (%v)", name, len(r.all()), err)
		}
	}
}

func TestSMTPSendsNothingWithoutTLSBeyondLoopback(t *testing.T) {
	t.Parallel()
	r := (&relay{password: "secret"}).serve(t, plain)
	err := r.sender(t, "smtp://readout:secret@relay.test").Send(t.Context(), hello)
	if err == nil || errors.Is(err, mail.ErrRefused) || len(r.all()) != 0 {
		t.Errorf("%d messages are received (%v), want an error that another try may mend", len(r.all()), err)
	}
}

func TestSMTPRefusesACertificateThatNobodyTrusts(t *testing.T) {
	t.Parallel()
	r := (&relay{}).serve(t, startTLS)
	r.roots = nil
	err := r.sender(t, "smtp://relay.test").Send(t.Context(), hello)
	if err == nil || errors.Is(err, mail.ErrRefused) || len(r.all()) != 0 {
		t.Errorf("%d messages are received (%v)", len(r.all()), err)
	}
}

func TestSMTPTellsARefusalFromWhatMayBeMended(t *testing.T) {
	t.Parallel()
	say := func(code int) error { return &smtp.SMTPError{Code: code, Message: "no"} }
	for name, c := range map[string]struct {
		relay   *relay
		url     string
		refused bool
	}{
		"unknown recipient":   {&relay{rcpt: func(string) error { return say(550) }}, "smtp://%s", true},
		"greylisted":          {&relay{rcpt: func(string) error { return say(451) }}, "smtp://%s", false},
		"text taken for spam": {&relay{data: func() error { return say(554) }}, "smtp://%s", true},
		"disk full":           {&relay{data: func() error { return say(452) }}, "smtp://%s", false},
		"no login":            {&relay{password: "secret"}, "smtp://%s", false},
		"wrong password":      {&relay{password: "secret"}, "smtp://readout:guessed@%s", false},
	} {
		r := c.relay.serve(t, plain)
		err := r.sender(t, c.url).Send(t.Context(), hello)
		if err == nil || errors.Is(err, mail.ErrRefused) != c.refused {
			t.Errorf("%s: %v, want refused: %t", name, err, c.refused)
		}
		if err != nil && strings.Contains(err.Error(), "guessed") {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
}

func TestSMTPDoesNotTakeADyingServerForARefusal(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]string{
		"at once":           "",
		"after the welcome": "EHLO",
		"at the sender":     "MAIL",
		"in the text":       "DATA",
	} {
		s, err := mail.NewSMTP(mail.SMTPConfig{URL: "smtp://" + dying(t, last), From: "readout@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Send(t.Context(), hello); err == nil || errors.Is(err, mail.ErrRefused) {
			t.Errorf("%s: %v, want an error that another try may mend", name, err)
		}
	}
}

// dying is a server that closes the connection when it hears the command last.
func dying(t *testing.T, last string) string {
	t.Helper()
	return talk(t, func(c net.Conn) {
		fmt.Fprint(c, "220 dying.test\r\n")
		buf := make([]byte, 4096)
		for last != "" {
			n, err := c.Read(buf)
			if err != nil || strings.HasPrefix(string(buf[:n]), last) && last != "DATA" {
				return
			}
			if strings.HasPrefix(string(buf[:n]), "DATA") {
				fmt.Fprint(c, "354 go on\r\n")
				return
			}
			fmt.Fprint(c, "250 dying.test\r\n")
		}
	})
}

// talk serves connections by fn and returns the address.
func talk(t *testing.T, fn func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			fn(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

func TestSMTPDoesNotWaitForASilentServer(t *testing.T) {
	t.Parallel()
	silent := talk(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) })
	s, err := mail.NewSMTP(mail.SMTPConfig{URL: "smtp://" + silent, From: "readout@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	s.Patience(50 * time.Millisecond)
	if err := s.Send(t.Context(), hello); err == nil || errors.Is(err, mail.ErrRefused) {
		t.Errorf("silence: %v, want an error that another try may mend", err)
	}
}

func TestSMTPEndsWithItsContext(t *testing.T) {
	t.Parallel()
	reading, release := make(chan struct{}), make(chan struct{})
	r := (&relay{data: func() error { close(reading); <-release; return nil }}).serve(t, plain)
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reading; cancel() }()
	begun := time.Now()
	err := r.sender(t, "smtp://%s").Send(ctx, hello)
	if took := time.Since(begun); err == nil || took > 10*time.Second { // a step may take 15 s
		t.Errorf("it ends after %s with %v, want an error at once", took, err)
	}
}
