package auth

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// LimiterConfig says how often one key may pass.
type LimiterConfig struct {
	Burst   int              // attempts that pass at once; at least 1
	Every   time.Duration    // the time after which one further attempt passes; more than 0
	Buckets int              // keys remembered; 0 means 10,000; about 300 bytes each
	Now     func() time.Time // the clock; nil means time.Now
}

// Limiter lets each key (an account, an address) pass Burst times and then once each Every: a token bucket per key. Safe
// for concurrent use.
//
// The number of buckets is bounded. When there are more keys, the one that was asked for longest ago is forgotten and
// starts again with a full burst, so Buckets must exceed the number of addresses that an attacker can command at once;
// a key under attack is asked for all the time and is never the one forgotten.
type Limiter struct {
	every time.Duration
	span  time.Duration // the time in which an empty bucket fills
	now   func() time.Time
	start time.Time

	mu   sync.Mutex
	full *simplelru.LRU[string, time.Duration] // when the key's bucket will be full again, counted from start
}

// NewLimiter returns a limiter whose buckets are all full, or an error that names each wrong field.
func NewLimiter(c LimiterConfig) (*Limiter, error) {
	if c.Buckets == 0 {
		c.Buckets = 10_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	full, err := simplelru.NewLRU[string, time.Duration](c.Buckets, nil)
	if err != nil {
		return nil, err
	}
	return &Limiter{every: c.Every, span: time.Duration(c.Burst) * c.Every, now: c.Now, start: c.Now(), full: full}, nil
}

func (c LimiterConfig) check() error {
	var errs []error
	if c.Burst < 1 {
		errs = append(errs, errors.New("limiter: Burst must be at least 1"))
	}
	if c.Every <= 0 {
		errs = append(errs, errors.New("limiter: Every must be more than 0"))
	}
	if c.Every > 0 && c.Burst > 0 && c.Every > maxSpan/time.Duration(c.Burst) {
		errs = append(errs, errors.New("limiter: Burst times Every must be at most a year"))
	}
	if c.Buckets < 0 {
		errs = append(errs, errors.New("limiter: Buckets must not be negative"))
	}
	return errors.Join(errs...)
}

const maxSpan = 365 * 24 * time.Hour

// Allow takes a token from key's bucket. When there is none, ok is false and the next will be there after retryAfter;
// asking again meanwhile costs nothing. A key is told apart by all of its bytes, so give the account in its canonical form.
func (l *Limiter) Allow(key string) (ok bool, retryAfter time.Duration) {
	key = bucketKey(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().Sub(l.start)
	full, known := l.full.Get(key)
	if !known || full < now {
		full = now
	}
	next := full + l.every
	if wait := next - now - l.span; wait > 0 {
		return false, wait
	}
	l.full.Add(key, next)
	return true, 0
}

// Wait returns after how long key will have a token; 0: it has one. It takes none.
func (l *Limiter) Wait(key string) time.Duration {
	key = bucketKey(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().Sub(l.start)
	full, _ := l.full.Get(key)
	return max(max(full, now)+l.every-now-l.span, 0)
}

// Len returns the number of buckets in memory, for metrics.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.full.Len()
}

// bucketKey bounds what a bucket holds in memory: a long key becomes its hash, a short one a copy of its own, as it may be
// a slice of a whole request.
func bucketKey(key string) string {
	if len(key) <= 64 {
		return strings.Clone(key)
	}
	sum := sha256.Sum256([]byte(key))
	return string(sum[:])
}

// AddressKey returns the key under which a client's address is limited: an IPv4 address itself, however it is written,
// and the /64 of an IPv6 address, since whoever has one address of it has them all.
func AddressKey(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
