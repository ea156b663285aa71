package mail

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/readout-dev/readout/internal/fault"
)

// Sender hands messages over. Safe for concurrent use.
type Sender interface {
	// Send returns when the message has been taken, or refused for good (errors.Is ErrRefused), or when that is not known:
	// then the same message may be sent again, and in the worst case comes twice.
	Send(ctx context.Context, m Message) error
}

// ErrRefused is what an error of Send is when the same message would be refused again.
var ErrRefused = errors.New("the message is refused")

// Message is a text to one person.
type Message struct {
	To      string `json:"to"`      // a bare address: ada@example.com
	Subject string `json:"subject"` // one line of at most 200 characters
	Text    string `json:"text"`    // UTF-8, of at most 100,000 bytes, with \n or \r\n between lines
}

const (
	maxSubject = 200
	maxText    = 100_000
)

// Check returns why m cannot be sent: the fault is Invalid, and ErrRefused too.
func (m Message) Check() error {
	switch {
	case CheckAddress(m.To) != nil:
		return refuse("the recipient is not an address")
	case m.Subject == "", utf8.RuneCountInString(m.Subject) > maxSubject, !utf8.ValidString(m.Subject), hasControls(m.Subject, ""):
		return refuse("the subject is not one line of 1 to %d characters", maxSubject)
	case m.Text == "", len(m.Text) > maxText, !utf8.ValidString(m.Text), hasControls(m.Text, "\t\r\n"):
		return refuse("the text is not UTF-8 of 1 to %d bytes", maxText)
	}
	return nil
}

func refuse(format string, args ...any) error {
	return fault.Wrap(ErrRefused, fault.Invalid, format, args...)
}

func hasControls(s, but string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return (r < ' ' || r == 0x7f) && !strings.ContainsRune(but, r) })
}

// CheckAddress returns a fault, Invalid, unless address is a bare mail address of at most 254 bytes, without a name, comments
// or controls. Whether somebody reads what is sent there only a mail can tell.
func CheckAddress(address string) error {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > 254 || hasControls(address, "") {
		return fault.New(fault.Invalid, "write the address as name@example.com")
	}
	return nil
}

// CheckFrom returns a fault, Invalid, unless from can be the sender of messages: an address, with or without a name.
func CheckFrom(from string) error {
	_, err := parseFrom(from)
	return err
}

func parseFrom(from string) (*mail.Address, error) {
	a, err := mail.ParseAddress(from)
	if err != nil || hasControls(from, "") {
		return nil, fault.New(fault.Invalid, "write the sender as readout@example.com or Readout <readout@example.com>")
	}
	return a, nil
}
