package auth

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// knownInMind is how many verified tokens are remembered: those of about as many people and programs at once.
const knownInMind = 4096

// knownTokens remembers tokens that were verified, by their hashes, since a signature of RSA or of a curve costs as much
// to verify as a small query. Only good tokens come in, so that a flood of bad ones drives none out. Safe for concurrent use.
type knownTokens struct {
	cache *lru.Cache[[sha256.Size]byte, verified]
}

// verified is what a token that was verified says.
type verified struct {
	claims     Claims
	until      time.Time // it is valid before this
	generation uint64    // of the foreign issuers' keys, when it was verified
}

func newKnownTokens() *knownTokens {
	cache, _ := lru.New[[sha256.Size]byte, verified](knownInMind) // fails for sizes below 1 alone
	return &knownTokens{cache}
}

// verify returns the claims of a token: those remembered, unless it has ended or keys were exchanged, else what check says.
func (k *knownTokens) verify(token string, generation uint64, now time.Time, check func(string) (verified, error)) (Claims, error) {
	if len(token) > maxForeignToken { // not even hashed
		return Claims{}, errTooLong
	}
	hash := sha256.Sum256([]byte(token))
	if v, ok := k.cache.Get(hash); ok && v.generation == generation && now.Before(v.until) {
		return v.claims, nil
	}
	v, err := check(token)
	if err != nil {
		return Claims{}, err
	}
	v.generation = generation
	k.cache.Add(hash, v)
	return v.claims, nil
}
