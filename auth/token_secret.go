package auth

import (
	"bytes"
	"errors"
	"fmt"
)

// MinSecret is the least length of an HS256 secret in bytes: that of the hash (RFC 7518, 3.2).
const MinSecret = 32

// sampleSecrets are pieces, in lower case, of secrets that documentation uses: ours, that of JWT tools, and what people
// write where a secret is still to come. A random secret contains one by a chance below one in ten million.
var sampleSecrets = [...]string{
	"change-me", "changeme", "change_me", "replace-me", "replaceme", "replace_me", "your-secret", "your_secret", "yoursecret",
	"your-256-bit", "your-super-secret", "secret-at-least", "string-secret", "super-secret", "supersecret", "super_secret",
	"my-secret", "my_secret", "mysecret", "not-a-secret", "not-so-secret", "example", "sample-", "do-not-use", "insecure",
	"readout", "password",
	"aym1sysppbydfgzld3umj1qzkobwvmko", // RFC 7515, A.1
}

// CheckSecret returns nil if secret may sign tokens, else an error that says what is wrong with it and never shows it:
// it is shorter than MinSecret, is a key in PEM, repeats itself, holds too few different bytes to be random, or is a documented sample.
// `openssl rand -base64 48` makes a good one.
func CheckSecret(secret []byte) error {
	switch {
	case len(secret) < MinSecret:
		return fmt.Errorf("must have at least %d bytes, has %d", MinSecret, len(secret))
	case bytes.Contains(secret, []byte("-----BEGIN")):
		return errors.New("is PEM and not a secret: whoever knows the public key could sign with it")
	case distinct(secret) == 1:
		return errors.New("is all one character")
	case distinct(secret) < 8:
		return errors.New("has fewer than 8 different characters, so it is not random")
	case periodic(secret):
		return errors.New("repeats itself")
	case isSample(secret):
		return errors.New("is or contains a documented sample; make one with `openssl rand -base64 48`")
	default:
		return nil
	}
}

func distinct(b []byte) int {
	var seen [256]bool
	n := 0
	for _, c := range b {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n
}

// periodic reports whether b is a unit of less than MinSecret bytes, said twice or more, the last time perhaps in part.
func periodic(b []byte) bool {
	for unit := 1; unit < MinSecret && 2*unit <= len(b); unit++ {
		if bytes.Equal(b[unit:], b[:len(b)-unit]) {
			return true
		}
	}
	return false
}

func isSample(secret []byte) bool {
	lower := bytes.ToLower(secret)
	for _, s := range sampleSecrets {
		if bytes.Contains(lower, []byte(s)) {
			return true
		}
	}
	return false
}
