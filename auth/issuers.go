package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// When the keys of foreign issuers are fetched: regularly, and sooner when a token names one that is not known, though not
// sooner than this after the last time. What could not be fetched anew for keysTooOld is no longer trusted.
const (
	keysEvery   = 5 * time.Minute
	keysAtLeast = time.Minute
	keysTooOld  = 24 * time.Hour
)

// IssuersConfig is what Issuers fetches with.
type IssuersConfig struct {
	Client *http.Client // nil means one of its own, which takes no proxy, follows no redirect and waits five seconds
	Log    *slog.Logger // nil means slog.Default
}

// Issuers are the foreign issuers whose tokens are taken, and their keys. A nil *Issuers has none. Safe for concurrent use.
type Issuers struct {
	byName  map[string]*issuer // does not change
	client  *http.Client
	log     *slog.Logger
	missing chan struct{} // holds one when a key was asked for that is not known
	changes atomic.Uint64 // how often the keys of any changed
}

// NewIssuers returns the issuers of a list, as ParseIssuers makes one. It fetches nothing: see Fetch and Run.
func NewIssuers(list []IssuerConfig, c IssuersConfig) (*Issuers, error) {
	s := &Issuers{
		byName: make(map[string]*issuer, len(list)), missing: make(chan struct{}, 1),
		client: cmp.Or(c.Client, newKeysClient()), log: cmp.Or(c.Log, slog.Default()),
	}
	for _, config := range list {
		i, err := newIssuer(config)
		if err != nil {
			return nil, fmt.Errorf("issuer %q: %w", config.Issuer, err)
		}
		i.missed = s.missed
		s.byName[config.Issuer] = i
	}
	return s, nil
}

func (s *Issuers) any() bool { return s != nil && len(s.byName) > 0 }

func (s *Issuers) find(name string) *issuer {
	if s == nil {
		return nil
	}
	return s.byName[name]
}

// generation changes whenever keys do.
func (s *Issuers) generation() uint64 {
	if s == nil {
		return 0
	}
	return s.changes.Load()
}

// checkAgainst refuses an issuer that could be taken for us: by its name, or as it shares our secret.
func (s *Issuers) checkAgainst(t *Tokens) error {
	if s == nil {
		return nil
	}
	for name, i := range s.byName {
		if name == t.issuer {
			return fmt.Errorf("issuer %q: this is our own name", name)
		}
		for _, foreign := range *i.keys.Load() {
			for _, own := range t.keys {
				if sameKey(own.public, foreign.public) {
					return fmt.Errorf("issuer %q: its key is one of ours", name)
				}
			}
		}
	}
	return nil
}

// missed asks for the keys to be fetched again, and never waits.
func (s *Issuers) missed() {
	select {
	case s.missing <- struct{}{}:
	default: // it is asked for already
	}
}

// Run keeps the keys fresh until ctx ends: they are fetched every five minutes, and when a token that is right but for its
// signature names a key that is not known, once a minute at most for all issuers together. Such a token is refused, not
// kept waiting. What a token says (jku, x5u, its own iss) never leads to an address.
func (s *Issuers) Run(ctx context.Context) error {
	if !s.any() {
		return nil
	}
	regular := time.NewTicker(keysEvery)
	defer regular.Stop()
	for ctx.Err() == nil {
		pause := time.NewTimer(keysAtLeast)
		select { // the last fetch has just been
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-regular.C:
		case <-s.missing:
		}
		s.Fetch(ctx)
	}
	return nil
}

// Fetch gets the keys of all issuers now and returns when that is done, in about five seconds at most. An issuer that does
// not answer well keeps the keys it had, for a day; the log tells why.
func (s *Issuers) Fetch(ctx context.Context) {
	if s == nil {
		return
	}
	var fetches sync.WaitGroup
	for _, i := range s.byName {
		if i.URL != "" {
			fetches.Go(func() { s.fetch(ctx, i) })
		}
	}
	fetches.Wait()
}

// fetch is called for one issuer by one goroutine at a time.
func (s *Issuers) fetch(ctx context.Context, i *issuer) {
	keys, err := fetchKeys(ctx, s.client, i.URL, i.allowed)
	if err == nil && len(keys) == 0 {
		err = errors.New("no key of the algorithms that are allowed")
	}
	if err == nil {
		i.fetched = time.Now()
		s.exchange(i, keys)
		return
	}
	s.log.WarnContext(ctx, "the keys of an issuer cannot be fetched", "issuer", i.Issuer, "error", err.Error())
	if time.Since(i.fetched) > keysTooOld {
		s.exchange(i, nil)
	}
}

// exchange gives an issuer its keys; what was verified with those before counts no more.
func (s *Issuers) exchange(i *issuer, keys keySet) {
	if i.keys.Load().same(keys) {
		return
	}
	i.keys.Store(&keys)
	s.changes.Add(1)
}
