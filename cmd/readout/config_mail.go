package main

import (
	"net/url"
	"strings"

	"github.com/readout-dev/readout/mail"
)

// validateMail tells wrong of each setting about mail that is.
func (c *Config) validateMail(wrong func(variable, format string, args ...any)) {
	if c.PublicURL != "" && !isOrigin(c.PublicURL) {
		wrong("READOUT_PUBLIC_URL (--public-url)", "write https://readout.example.com, with a path if need be, and nothing behind it")
	}
	if c.SMTPURL == "" {
		return
	}
	if c.PublicURL == "" {
		wrong("READOUT_PUBLIC_URL (--public-url)", "is needed with READOUT_SMTP_URL: links in mails begin with it")
	}
	if err := mail.CheckFrom(c.MailFrom); err != nil {
		wrong("READOUT_MAIL_FROM (--mail-from)", "%w", err)
	}
	if err := mail.CheckURL(c.SMTPURL); err != nil {
		wrong("READOUT_SMTP_URL", "%w", err)
	}
}

// isOrigin reports whether text is a URL that a path can be put behind.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil &&
		u.RawQuery == "" && u.Fragment == "" && !strings.HasSuffix(text, "?") && !strings.HasSuffix(text, "#")
}
