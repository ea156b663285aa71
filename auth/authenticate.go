package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/internal/fault"
)

// How long a key or session that was found, or not found, is taken for so, and how many are remembered: the bound on how
// long a revoked one goes on working.
const (
	keyMemory  = time.Second
	keysInMind = 10_000
)

// Authenticator turns credentials into principals. Safe for concurrent use.
type Authenticator struct {
	client *db.Client
	tokens *Tokens

	keys     *memory[[32]byte, *Principal] // nil for a key that does not exist
	sessions *memory[int64, int64]         // the person whose session it is; 0 for one that has ended
	people   *memory[foreignPerson, int64] // 0 for those without an account
	guesses  *guesses
}

// NewAuthenticator returns an authenticator of keys kept in client's database and of tokens.
func NewAuthenticator(client *db.Client, tokens *Tokens) *Authenticator {
	return &Authenticator{
		client: client, tokens: tokens,
		keys:     newMemory[[32]byte, *Principal](keysInMind, keyMemory),
		sessions: newMemory[int64, int64](keysInMind, keyMemory),
		people:   newMemory[foreignPerson, int64](keysInMind, keyMemory),
	}
}

// Authenticate returns who stands behind a credential: an access token or a key. A credential that is not valid is a
// fault Unauthenticated. Keys, the sessions of our tokens and the people of foreign ones cost one query a second at most.
func (a *Authenticator) Authenticate(ctx context.Context, credential string) (*Principal, error) {
	return a.authenticate(ctx, credential, "")
}

// authenticate is Authenticate of what comes from an address, whose wrong credentials are limited: fault TooMany.
func (a *Authenticator) authenticate(ctx context.Context, credential, from string) (*Principal, error) {
	if LooksLikeKey(credential) {
		return a.key(ctx, credential, from)
	}
	claims, err := a.tokens.Verify(credential)
	if errors.Is(err, errExpired) {
		return nil, err
	}
	if err != nil {
		return nil, a.guesses.wrong(from, err)
	}
	if claims.User == 0 {
		if claims.User, err = a.person(ctx, claims); err != nil {
			return nil, err
		}
	}
	if err := a.inSession(ctx, claims.Session, claims.User); err != nil {
		return nil, err
	}
	return &Principal{
		Kind: User, User: claims.User, Session: claims.Session, Scopes: Read | Ingest | Admin, Expires: claims.Expires,
	}, nil
}

func (a *Authenticator) key(ctx context.Context, secret, from string) (*Principal, error) {
	hash, _, err := ParseKey(secret)
	if err != nil {
		return nil, a.guesses.wrong(from, err)
	}
	p, known := a.keys.get(hash)
	if !known {
		if err := a.guesses.mayTry(from, hash); err != nil {
			return nil, err
		}
		if p, err = a.lookUp(ctx, hash); err != nil {
			return nil, err
		}
		a.keys.keep(hash, p)
	}
	switch {
	case p == nil:
		return nil, a.guesses.wrong(from, refused(nil))
	case p.Expired(time.Now()):
		return nil, refused(nil)
	case !known:
		a.guesses.right(hash)
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

// Forget makes this process look every key and session up again, at once: after one was revoked.
func (a *Authenticator) Forget() {
	a.keys.forget()
	a.sessions.forget()
}

// Credential returns the credential of a request: the one Authorization header, as Bearer; without one, what a browser has
// in its cookie, if a page of ours sent it. It is "" when there is neither. Anything else is a fault: BadRequest for two
// headers, Unauthenticated for another scheme, Forbidden for another site's page.
func Credential(r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	switch len(headers) {
	case 0:
		return fromCookie(r, AccessCookie)
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
// Authenticate, and TooMany where an address has sent too many that are wrong, see LimitGuesses.
func (a *Authenticator) Request(r *http.Request) (context.Context, error) {
	credential, err := Credential(r)
	if err != nil || credential == "" {
		return r.Context(), err
	}
	p, err := a.authenticate(r.Context(), credential, r.RemoteAddr)
	if err != nil {
		return nil, err
	}
	return NewContext(r.Context(), p), nil
}
