package mail_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/mail"
)

func TestMessageIsCheckedBeforeAnybodySeesIt(t *testing.T) {
	t.Parallel()
	good := mail.Message{To: "ada@example.com", Subject: "Hello", Text: "Text\n"}
	if err := good.Check(); err != nil {
		t.Fatalf("%+v: %v", good, err)
	}
	for name, change := range map[string]func(*mail.Message){
		"a header in the subject":   func(m *mail.Message) { m.Subject = "Hello\r\nBcc: eve@example.com" },
		"a bare line feed":          func(m *mail.Message) { m.Subject = "Hello\nBcc: eve@example.com" },
		"a header in the recipient": func(m *mail.Message) { m.To = "ada@example.com\r\nBcc: eve@example.com" },
		"two recipients":            func(m *mail.Message) { m.To = "ada@example.com, eve@example.com" },
		"a recipient with a name":   func(m *mail.Message) { m.To = "Ada <ada@example.com>" },
		"a recipient with a route":  func(m *mail.Message) { m.To = "<@eve.example:ada@example.com>" },
		"no recipient":              func(m *mail.Message) { m.To = "" },
		"no subject":                func(m *mail.Message) { m.Subject = "" },
		"a long subject":            func(m *mail.Message) { m.Subject = strings.Repeat("ü", 201) },
		"a subject not in UTF-8":    func(m *mail.Message) { m.Subject = "\xff" },
		"no text":                   func(m *mail.Message) { m.Text = "" },
		"a long text":               func(m *mail.Message) { m.Text = strings.Repeat("x", 100_001) },
		"a control in the text":     func(m *mail.Message) { m.Text = "\x1b[2J" },
	} {
		bad := good
		change(&bad)
		for who, send := range map[string]func() error{
			"check": bad.Check,
			"box":   func() error { return new(mail.Box).Send(t.Context(), bad) },
		} {
			if err := send(); !errors.Is(err, mail.ErrRefused) || !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %s: %v, want a refusal", name, who, err)
			}
		}
	}
}

func TestURLIsReadOrRefusedWithoutShowingIt(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"smtp://readout:hunter2@mail.example.com:587": true,
		"smtps://readout:hunter2@mail.example.com":    true,
		"smtp://mail.example.com":                     true,
		"smtp://[::1]:25/":                            true,
		"http://readout:hunter2@mail.example.com":     false,
		"smtp://readout:hunter2@":                     false,
		"smtp://readout@mail.example.com":             false,
		"smtp://:hunter2@mail.example.com":            false,
		"smtp://readout:hunter2@mail.example.com:0":   false,
		"smtp://readout:hunter2@mail.example.com/x":   false,
		"smtp://readout:hunter2@mail.example.com?x=y": false,
		"smtp://readout:hunter2%zz@mail.example.com":  false,
		"readout:hunter2@mail.example.com:587":        false,
		"":                                            false,
	} {
		err := mail.CheckURL(url)
		if (err == nil) != ok || err != nil && (!fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%q: %v, want it taken: %t", url, err, ok)
		}
	}
}

func TestPasswordIsNeverPrinted(t *testing.T) {
	t.Parallel()
	s, err := mail.NewSMTP(mail.SMTPConfig{URL: "smtp://readout:hunter2@mail.example.com", From: "readout@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("hello", "mail", s)
	for _, printed := range []string{fmt.Sprintf("%v", *s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), log.String()} {
		if strings.Contains(printed, "hunter2") {
			t.Errorf("the password is printed: %s", printed)
		}
	}
}

func TestSenderIsAnAddressWithOrWithoutAName(t *testing.T) {
	t.Parallel()
	for from, ok := range map[string]bool{
		"readout@example.com": true, "Readout <readout@example.com>": true, "": false, "readout": false,
		"readout@example.com, eve@example.com": false, "readout@example.com\r\nBcc: eve@example.com": false,
	} {
		if err := mail.CheckFrom(from); (err == nil) != ok {
			t.Errorf("%q: %v, want it taken: %t", from, err, ok)
		}
	}
}
