package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Credential gives the token to show. It is asked for each request and each connection, and on an open connection when the
// token that it gave last comes to its end. It is called by several goroutines at once.
//
// A subscription tries again after an error, unless that is final; see Final.
type Credential func(ctx context.Context) (Token, error)

// Token is a key, or the access token of a person who has logged in.
type Token struct {
	Text    string
	Expires time.Time // zero: never
}

// Key is the credential of a device or a script.
func Key(secret string) Credential {
	return func(context.Context) (Token, error) { return Token{Text: secret}, nil }
}

// Login is the credential of a person. It logs in at the server when it is asked first, and has its token renewed when two thirds of
// that one's life are over; once the session has ended it logs in again. A wrong password is a *StatusError. The server has 30 seconds
// to answer.
func Login(server, email, password string) Credential {
	return LoginBy(&http.Client{Timeout: 30 * time.Second}, server, email, password)
}

// LoginBy is Login by an HTTP client of one's own: for its certificates, its proxy and its timeout. It should have one: whoever
// needs the token waits for who has asked for it first.
func LoginBy(by *http.Client, server, email, password string) Credential {
	l := &login{by: by, doors: strings.TrimSuffix(server, "/") + "/auth/", password: map[string]string{"email": email, "password": password}}
	return l.token
}

type login struct {
	by       *http.Client
	doors    string
	password map[string]string

	mu      sync.Mutex // held while one logs in, for all
	last    Token
	begins  time.Time
	refresh string // renews the token, once; empty: nothing does
}

func (l *login) token(ctx context.Context) (Token, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if life := l.last.Expires.Sub(l.begins); time.Since(l.begins) < life*2/3 {
		return l.last, nil
	}
	began := time.Now()
	t, err := l.renew(ctx)
	if err != nil {
		return Token{}, fmt.Errorf("log in: %w", err)
	}
	l.last, l.begins = t, began
	return t, nil
}

// renew gets a token for the last refresh token, else for the password. A refresh token is not shown twice: its use may have been
// answered, and the answer lost.
func (l *login) renew(ctx context.Context) (Token, error) {
	if l.refresh != "" {
		body := map[string]string{"refreshToken": l.refresh}
		l.refresh = ""
		if t, err := l.ask(ctx, "refresh", body); err == nil {
			return t, nil
		}
	}
	return l.ask(ctx, "login", l.password)
}

func (l *login) ask(ctx context.Context, door string, body map[string]string) (Token, error) {
	encoded, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.doors+door, bytes.NewReader(encoded))
	if err != nil {
		return Token{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.by.Do(req)
	if err != nil {
		return Token{}, err
	}
	defer resp.Body.Close()
	told, err := io.ReadAll(resp.Body)
	if err != nil {
		return Token{}, err
	}
	var given struct {
		AccessToken  string
		ExpiresAt    time.Time
		RefreshToken string
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(told, &given) != nil {
		return Token{}, statusOf(resp, told)
	}
	l.refresh = given.RefreshToken
	expires := given.ExpiresAt
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil { // our clock may not be the server's
		expires = time.Now().Add(given.ExpiresAt.Sub(date))
	}
	return Token{Text: given.AccessToken, Expires: expires}, nil
}
