package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/readout-dev/readout/internal/fault"
)

// MaxPassword is the longest password in bytes of UTF-8. Nothing is ever cut off: a longer one is refused.
const MaxPassword = 256

// PasswordConfig says what one hash costs and how many are computed at once. The zero value is OWASP's first choice for
// argon2id (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 thread; about 25 ms of a core.
type PasswordConfig struct {
	MemoryKiB  int // memory of one computation in KiB; 0 means 19,456 (19 MiB); 8 … 1,048,576 (1 GiB)
	Passes     int // passes over that memory; 0 means 2; at most 4 GiB divided by the memory
	Concurrent int // computations at once, which bounds their memory; 0 means 2
	Waiting    int // callers that wait for their turn, beyond which they are refused; 0 means 16
}

// Validate returns an error that names each wrong field, nil if there is none.
func (c PasswordConfig) Validate() error {
	var errs []error
	c = c.withDefaults()
	if err := c.cost().check(); err != nil {
		errs = append(errs, fmt.Errorf("MemoryKiB, Passes: %w", err))
	}
	if c.Concurrent < 1 {
		errs = append(errs, errors.New("the field Concurrent must not be negative"))
	}
	if c.Waiting < 1 {
		errs = append(errs, errors.New("the field Waiting must not be negative"))
	}
	return errors.Join(errs...)
}

func (c PasswordConfig) withDefaults() PasswordConfig {
	for _, f := range []struct {
		field *int
		value int
	}{{&c.MemoryKiB, 19_456}, {&c.Passes, 2}, {&c.Concurrent, 2}, {&c.Waiting, 16}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return c
}

func (c PasswordConfig) cost() cost {
	return cost{memory: int64(c.MemoryKiB), passes: int64(c.Passes), threads: 1}
}

// Passwords hashes and verifies passwords with argon2id, a few at a time. Safe for concurrent use.
//
// Passwords are bytes: no Unicode normalisation is applied, so a password typed as NFC on one device and as NFD on
// another is two passwords. Whoever wants them to be one normalises before calling, always in the same way.
type Passwords struct {
	cost cost
	gate *gate
}

// NewPasswords returns a Passwords. It panics when cfg.Validate returns an error.
func NewPasswords(cfg PasswordConfig) *Passwords {
	if err := cfg.Validate(); err != nil {
		panic("auth: password config: " + err.Error())
	}
	cfg = cfg.withDefaults()
	return &Passwords{cost: cfg.cost(), gate: newGate(cfg.Concurrent, cfg.Waiting)}
}

// Hash returns the PHC string of password with a fresh salt, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, which is all
// there is to store. It refuses no weak password, as one that was accepted under older rules must still be hashed anew
// after Verify says so: call CheckPassword first where a password is chosen.
//
// Faults: fault.TooLarge over MaxPassword, fault.TooMany with RetryAfter when too many callers wait or ctx ends first.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxPassword {
		return "", errPasswordLong()
	}
	h := phc{cost: p.cost, salt: make([]byte, saltBytes)}
	_, _ = rand.Read(h.salt) // never fails: crypto/rand ends the program instead
	if err := p.gate.enter(ctx); err != nil {
		return "", err
	}
	defer p.gate.leave()
	h.hash = h.derive(password, hashBytes)
	return h.String(), nil
}

// Verify reports whether password is the one that stored, a PHC string, was made of. rehash says that it is and that
// stored has another cost than today's: call Hash and store the result.
//
// Errors: fault.TooMany as with Hash; an error that is no fault (and does not show it) when stored is no PHC string of
// argon2id or asks for more than 1 GiB of memory or 4 GiB of memory times passes.
func (p *Passwords) Verify(ctx context.Context, stored, password string) (ok, rehash bool, err error) {
	h, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	if len(password) > MaxPassword {
		return false, false, nil // none is that long
	}
	if err := p.gate.enter(ctx); err != nil {
		return false, false, err
	}
	defer p.gate.leave()
	if !h.matches(password) {
		return false, false, nil
	}
	return true, !h.madeWith(p.cost), nil
}

// VerifyNothing takes as long as Verify with a hash of today's cost and finds nothing: call it where there is no such
// account, so that time does not tell which accounts exist. Faults as with Verify.
func (p *Passwords) VerifyNothing(ctx context.Context, password string) error {
	nobody := phc{cost: p.cost, salt: make([]byte, saltBytes), hash: make([]byte, hashBytes)}
	_, _, err := p.Verify(ctx, nobody.String(), password)
	return err
}

// Waiting returns the number of callers that wait for their turn, for metrics.
func (p *Passwords) Waiting() int { return int(p.gate.waiting.Load()) }

func errPasswordLong() error {
	return fault.New(fault.TooLarge, "a password has at most %d bytes", MaxPassword)
}
