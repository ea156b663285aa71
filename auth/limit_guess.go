package auth

import (
	"errors"
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/readout-dev/readout/internal/fault"
)

// guesses limits wrong credentials by the address that they come from. Keys that were once found are looked up whatever
// else comes from there, so that who guesses shuts out nobody but what is as unknown as a guess. Nil is no limit. Safe for
// concurrent use.
type guesses struct {
	left  *Limiter
	found *lru.Cache[[32]byte, struct{}] // keys
}

// LimitGuesses lets each address send so many wrong credentials a minute, and as many at once; 0 is no limit. It is called
// before the first use. A token that is only expired is no guess, nor is one whose session has ended or a key that has expired.
func (a *Authenticator) LimitGuesses(perMinute int) error {
	if perMinute == 0 {
		a.guesses = nil
		return nil
	}
	if perMinute < 0 {
		return errors.New("a limit of wrong credentials is not negative")
	}
	left, err := NewLimiter(LimiterConfig{Burst: perMinute, Every: time.Minute / time.Duration(perMinute)})
	if err != nil {
		return err
	}
	found, err := lru.New[[32]byte, struct{}](keysInMind)
	a.guesses = &guesses{left, found}
	return err
}

// mayTry refuses to look a key up that was never found, for an address that has no guess left: fault TooMany.
func (g *guesses) mayTry(from string, hash [32]byte) error {
	if g == nil || g.found.Contains(hash) {
		return nil
	}
	key, ok := addressOf(from)
	if wait := g.left.Wait(key); ok && wait > 0 {
		return tooManyGuesses(wait)
	}
	return nil
}

// wrong counts a credential that was refused by err, and returns err, or the fault TooMany when there were too many.
func (g *guesses) wrong(from string, err error) error {
	if g == nil {
		return err
	}
	if key, ok := addressOf(from); ok {
		if ok, wait := g.left.Allow(key); !ok {
			return tooManyGuesses(wait)
		}
	}
	return err
}

func (g *guesses) right(hash [32]byte) {
	if g != nil {
		g.found.Add(hash, struct{}{})
	}
}

func tooManyGuesses(wait time.Duration) error {
	return fault.New(fault.TooMany, "too many wrong credentials from this address: wait, then try again").After(wait)
}

// addressOf returns the key of where a request comes from, false when it comes by no network.
func addressOf(remote string) (string, bool) {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return "", false
	}
	return AddressKey(at.Addr()), true
}
