package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/mail"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
)

// maxAccountBody bounds the body of a request to the account endpoints, in bytes.
const maxAccountBody = 4096

// Accounts registers people and logs them in. Safe for concurrent use.
type Accounts struct {
	client    *db.Client
	passwords *Passwords
	tokens    *Tokens
	byAccount *Limiter
	byAddress *Limiter
}

// NewAccounts returns the accounts kept in client's database. Attempts are limited: ten at once and one in 10 s for an
// account, thirty at once and one a second for an address.
func NewAccounts(client *db.Client, passwords *Passwords, tokens *Tokens) (*Accounts, error) {
	byAccount, err := NewLimiter(LimiterConfig{Burst: 10, Every: 10 * time.Second})
	if err != nil {
		return nil, err
	}
	byAddress, err := NewLimiter(LimiterConfig{Burst: 30, Every: time.Second})
	if err != nil {
		return nil, err
	}
	return &Accounts{client: client, passwords: passwords, tokens: tokens, byAccount: byAccount, byAddress: byAddress}, nil
}

// Register makes an account and returns it. Faults: Invalid for an address or a password that is not taken, Conflict
// when the address has an account.
func (a *Accounts) Register(ctx context.Context, email, name, password string) (*db.User, error) {
	email, err := address(email)
	if err != nil {
		return nil, err
	}
	if len(name) > 128 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, fault.New(fault.Invalid, "a name is up to 128 bytes of text without control characters")
	}
	if err := CheckPassword(password, email); err != nil {
		return nil, err
	}
	hash, err := a.passwords.Hash(ctx, password)
	if err != nil {
		return nil, err
	}
	u, err := a.client.User.Create().SetEmail(email).SetName(name).SetPassword(hash).Save(NewContext(ctx, System()))
	if db.IsConstraintError(err) {
		return nil, fault.New(fault.Conflict, "this address has an account: log in")
	}
	return u, err
}

// Login returns an access token for the right password, and when it ends. An unknown account and a wrong password have
// one answer and take the same time: Unauthenticated. Too many attempts: TooMany.
func (a *Accounts) Login(ctx context.Context, email, password string) (token string, expires time.Time, err error) {
	wrong := fault.New(fault.Unauthenticated, "the e-mail address or the password is wrong")
	email, err = address(email)
	if err != nil {
		return "", time.Time{}, wrong // no account has it
	}
	if ok, wait := a.byAccount.Allow(email); !ok {
		return "", time.Time{}, fault.New(fault.TooMany, "too many attempts for this account: wait, then try again").After(wait)
	}
	system := NewContext(ctx, System())
	u, err := a.client.User.Query().Where(user.Email(email)).Only(system)
	if db.IsNotFound(err) {
		if err := a.passwords.VerifyNothing(ctx, password); err != nil {
			return "", time.Time{}, err
		}
		return "", time.Time{}, wrong
	}
	if err != nil {
		return "", time.Time{}, err
	}
	ok, rehash, err := a.passwords.Verify(ctx, u.Password, password)
	if err != nil {
		return "", time.Time{}, err
	}
	if !ok {
		return "", time.Time{}, wrong
	}
	if rehash {
		_ = a.rehash(ctx, u, password) // the next log-in tries again; this one is as good as it was
	}
	return a.tokens.Issue(u.ID)
}

// rehash stores the password at today's cost.
func (a *Accounts) rehash(ctx context.Context, u *db.User, password string) error {
	hash, err := a.passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return u.Update().SetPassword(hash).Exec(NewContext(ctx, System()))
}

// SetPassword gives an account a new password; a fault Invalid when it is not taken. For the program's own use: it does
// not ask for the old one.
func (a *Accounts) SetPassword(ctx context.Context, u *db.User, password string) error {
	if err := CheckPassword(password, u.Email); err != nil {
		return err
	}
	return a.rehash(ctx, u, password)
}

// ServeRegister answers POST /auth/register.
func (a *Accounts) ServeRegister(w http.ResponseWriter, r *http.Request) error {
	in, err := a.read(w, r, "email", "password", "name")
	if err != nil {
		return err
	}
	u, err := a.Register(r.Context(), in["email"], in["name"], in["password"])
	if err != nil {
		return err
	}
	return reply(w, http.StatusCreated, struct {
		ID    string `json:"id"`
		Email string `json:"email"`
		Name  string `json:"name"`
	}{strconv.FormatInt(u.ID, 10), u.Email, u.Name})
}

// ServeLogin answers POST /auth/login.
func (a *Accounts) ServeLogin(w http.ResponseWriter, r *http.Request) error {
	in, err := a.read(w, r, "email", "password")
	if err != nil {
		return err
	}
	token, expires, err := a.Login(r.Context(), in["email"], in["password"])
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, struct {
		AccessToken string    `json:"accessToken"`
		TokenType   string    `json:"tokenType"`
		ExpiresAt   time.Time `json:"expiresAt"`
	}{token, "Bearer", expires.UTC()})
}

// read returns the members of a small JSON object of text, after the caller's address was found to have attempts left.
// The first two of the names must be there, others may be.
func (a *Accounts) read(w http.ResponseWriter, r *http.Request, names ...string) (map[string]string, error) {
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		if ok, wait := a.byAddress.Allow(AddressKey(from.Addr())); !ok {
			return nil, fault.New(fault.TooMany, "too many attempts from this address: wait, then try again").After(wait)
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAccountBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, fault.New(fault.TooLarge, "the body is limited to %d bytes", maxAccountBody)
	case err != nil:
		return nil, fault.Wrap(err, fault.BadRequest, "the body breaks off")
	case len(bytes.TrimSpace(body)) == 0:
		return nil, fault.New(fault.EmptyBody, "send a JSON object")
	case !json.Valid(body):
		return nil, fault.New(fault.Malformed, "the body is not JSON")
	case !utf8.Valid(body):
		return nil, fault.New(fault.TextInvalid, "the body is not UTF-8")
	}
	members, err := textMembers(json.NewDecoder(bytes.NewReader(body)), names)
	if err != nil {
		return nil, err
	}
	for _, name := range names[:2] {
		if _, there := members[name]; !there {
			return nil, fault.New(fault.MissingField, "the field %s is missing", name)
		}
	}
	return members, nil
}

// textMembers reads an object of text. It is strict where encoding/json is not: names match exactly and occur once, and
// what is not UTF-8 is refused, as replacing it could make one password of two.
func textMembers(valid *json.Decoder, names []string) (map[string]string, error) {
	if start, _ := valid.Token(); start != json.Delim('{') {
		return nil, fault.New(fault.ValueType, "the body is a JSON object")
	}
	members := map[string]string{}
	for valid.More() {
		token, _ := valid.Token()
		name, _ := token.(string)
		if !slices.Contains(names, name) {
			return nil, fault.New(fault.UnknownField, "the fields are %s", strings.Join(names, ", "))
		}
		if _, twice := members[name]; twice {
			return nil, fault.New(fault.DuplicateField, "the field %s is there twice", name)
		}
		token, _ = valid.Token()
		text, isText := token.(string)
		if !isText {
			return nil, fault.New(fault.ValueType, "the field %s is text", name)
		}
		if strings.ContainsRune(text, utf8.RuneError) {
			return nil, fault.New(fault.TextInvalid, "the field %s has a character that does not exist", name)
		}
		members[name] = text
	}
	return members, nil
}

// address returns an e-mail address as it is stored: the bare address in lower case.
func address(s string) (string, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > 254 || strings.ContainsAny(s, "\"()<>, \t") {
		return "", fault.New(fault.Invalid, "this is not an e-mail address: write name@example.org")
	}
	return strings.ToLower(s), nil
}

func reply(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(body)
}
