package auth

import (
	"net/mail"
	"strings"

	"github.com/readout-dev/readout/internal/fault"
)

// Address returns an e-mail address as accounts have it: the bare address in lower case. Whatever is none is a fault Invalid.
func Address(s string) (string, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > 254 || strings.ContainsAny(s, "\"()<>, \t") {
		return "", fault.New(fault.Invalid, "this is not an e-mail address: write name@example.org")
	}
	return strings.ToLower(s), nil
}
