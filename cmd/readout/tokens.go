package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/readout-dev/readout/auth"
)

// newTokens returns what issues and verifies access tokens, and the foreign issuers among whose keys it looks. secret signs
// where there are no keys.
func newTokens(cfg Config, secret []byte, log *slog.Logger) (*auth.Tokens, *auth.Issuers, error) {
	c := auth.TokenConfig{Secret: secret, TTL: cfg.TokenTTL}
	var err error
	if cfg.JWTKeys != "" {
		c.Secret = nil
		if c.Keys, err = auth.ParseTokenKeys(cfg.JWTKeys); err != nil {
			return nil, nil, fmt.Errorf("READOUT_JWT_KEYS: %w", err)
		}
	}
	var list []auth.IssuerConfig
	if cfg.JWTIssuers != "" {
		if list, err = auth.ParseIssuers(cfg.JWTIssuers); err != nil {
			return nil, nil, fmt.Errorf("READOUT_JWT_ISSUERS: %w", err)
		}
	}
	if c.Issuers, err = auth.NewIssuers(list, auth.IssuersConfig{Log: log}); err != nil {
		return nil, nil, fmt.Errorf("READOUT_JWT_ISSUERS: %w", err)
	}
	tokens, err := auth.NewTokens(c)
	return tokens, c.Issuers, err
}

// checkTokens returns what newTokens would refuse of the keys and issuers.
func checkTokens(cfg Config) error {
	if cfg.JWTKeys == "" && cfg.JWTIssuers == "" {
		return nil
	}
	secret := []byte(cfg.JWTSecret)
	if auth.CheckSecret(secret) != nil { // that is told already, or it will be made
		secret = []byte(rand.Text() + rand.Text())
	}
	_, _, err := newTokens(cfg, secret, slog.New(slog.DiscardHandler))
	return err
}

// tokenSecret returns the secret that signs cursors, and access tokens unless there are keys for that: the configured one, or the one kept in the data folder, made
// there when it is missing.
func tokenSecret(cfg Config) ([]byte, error) {
	if cfg.JWTSecret != "" {
		return []byte(cfg.JWTSecret), nil
	}
	file := filepath.Join(cfg.DataDir, "jwt-secret")
	kept, err := os.ReadFile(file)
	if err == nil {
		return []byte(strings.TrimSpace(string(kept))), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read the secret of access tokens: %w", err)
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	secret := base64.StdEncoding.EncodeToString(random)
	// Whole or not at all: half a secret would stop every later start.
	if err := os.WriteFile(file+".new", []byte(secret+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("keep the secret of access tokens: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return nil, fmt.Errorf("keep the secret of access tokens: %w", err)
	}
	return []byte(secret), nil
}
