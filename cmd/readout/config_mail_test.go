package main

import (
	"strings"
	"testing"
)

func TestMailIsSetCompletelyOrNotAtAll(t *testing.T) {
	t.Parallel()
	f := func(url, from, public string, want ...string) {
		t.Helper()
		var got []string
		c := Config{SMTPURL: url, MailFrom: from, PublicURL: public}
		c.validateMail(func(variable, format string, args ...any) { got = append(got, strings.Fields(variable)[0]) })
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q %q %q: wrong are %v, want %v", url, from, public, got, want)
		}
	}
	const url, from, public = "smtp://mail.example.com", "readout@example.com", "https://readout.example.com"
	f("", "", "")
	f("", "", public)
	f(url, from, public)
	f(url, from, "http://localhost:8080/readout")
	f("mail.example.com", from, public, "READOUT_SMTP_URL")
	f(url, "", public, "READOUT_MAIL_FROM")
	f(url, from, "", "READOUT_PUBLIC_URL")
	f("", "", "readout.example.com", "READOUT_PUBLIC_URL")
	f("", "", "https://readout.example.com?x=y", "READOUT_PUBLIC_URL")
	f("", "", "https://ada:secret@readout.example.com", "READOUT_PUBLIC_URL")
	f("", "", "javascript:alert(1)", "READOUT_PUBLIC_URL")
}
