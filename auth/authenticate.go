package auth

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/internal/fault"
)

// How long a key that was found, or not found, is taken for so, and how many are remembered: the bound on how long a
// revoked key goes on working.
const (
	keyMemory  = time.Second
	keysInMind = 10_000
)

// Authenticator turns credentials into principals. Safe for concurrent use.
type Authenticator struct {
	client *db.Client
	tokens *Tokens
	keys   *expirable.LRU[[32]byte, *Principal] // nil for a key that does not exist
}

// NewAuthenticator returns an authenticator of keys kept in client's database and of tokens.
func NewAuthenticator(client *db.Client, tokens *Tokens) *Authenticator {
	return &Authenticator{
		client: client,
		tokens: tokens,
		keys:   expirable.NewLRU[[32]byte, *Principal](keysInMind, nil, keyMemory),
	}
}

// Authenticate returns who stands behind a credential: an access token or a key. A credential that is not valid is a
// fault Unauthenticated. Tokens cost no query, keys one a second at most.
func (a *Authenticator) Authenticate(ctx context.Context, credential string) (*Principal, error) {
	if LooksLikeKey(credential) {
		return a.key(ctx, credential)
	}
	claims, err := a.tokens.Verify(credential)
	if err != nil {
		return nil, err
	}
	return &Principal{Kind: User, User: claims.User, Scopes: Read | Ingest | Admin, Expires: claims.Expires}, nil
}

func (a *Authenticator) key(ctx context.Context, secret string) (*Principal, error) {
	hash, _, err := ParseKey(secret)
	if err != nil {
		return nil, err
	}
	p, known := a.keys.Get(hash)
	if !known {
		if p, err = a.lookUp(ctx, hash); err != nil {
			return nil, err
		}
		a.keys.Add(hash, p)
	}
	if p == nil || p.Expired(time.Now()) {
		return nil, refused(nil)
	}
	return p, nil
}

func (a *Authenticator) lookUp(ctx context.Context, hash [32]byte) (*Principal, error) {
	k, err := a.client.Key.Query().Where(key.Hash(hash[:])).WithDevice().Only(NewContext(ctx, System()))
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "the key cannot be checked now").After(time.Second)
	}
	scopes, err := ParseScopes(strings.ToLower(strings.Join(k.Scopes, ",")))
	if err != nil {
		return nil, err
	}
	p := &Principal{Kind: ProjectKey, Project: k.ProjectID, Key: k.ID, Scopes: scopes}
	if d := k.Edges.Device; d != nil {
		p.Kind, p.Device, p.DeviceName = DeviceKey, d.ID, d.Name
	}
	if k.ExpiresAt != nil {
		p.Expires = *k.ExpiresAt
	}
	return p, nil
}

// Forget makes this process look every key up again, at once: after a key was revoked.
func (a *Authenticator) Forget() { a.keys.Purge() }

// Credential returns the credential of a request: the one Authorization header, as Bearer. It is "" when there is none.
// Anything else is a fault: BadRequest for two headers, Unauthenticated for another scheme.
func Credential(r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	switch len(headers) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", fault.New(fault.BadRequest, "send one Authorization header, not %d", len(headers))
	}
	scheme, credential, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || credential == "" {
		return "", fault.New(fault.Unauthenticated, "send the credential as Authorization: Bearer …")
	}
	return credential, nil
}

// Request returns ctx of r with its principal; without a credential it is anonymous. Faults as of Credential and
// Authenticate.
func (a *Authenticator) Request(r *http.Request) (context.Context, error) {
	credential, err := Credential(r)
	if err != nil || credential == "" {
		return r.Context(), err
	}
	p, err := a.Authenticate(r.Context(), credential)
	if err != nil {
		return nil, err
	}
	return NewContext(r.Context(), p), nil
}
