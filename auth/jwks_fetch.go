package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

// The limits of what an issuer may answer: about ten times what the largest of them do.
const (
	maxJWKS    = 256 << 10 // bytes
	maxKeys    = 100
	keysWithin = 5 * time.Second
)

// newKeysClient returns a client for the keys of issuers. An answer that leads elsewhere is no answer: where keys come from
// is said by the configuration alone, and so it is not for the proxies of the environment to carry them.
func newKeysClient() *http.Client {
	return &http.Client{
		Timeout:       keysWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: keysWithin}).DialContext,
			TLSHandshakeTimeout:    keysWithin,
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      true, // it is used every few minutes
			ForceAttemptHTTP2:      true,
		},
	}
}

// fetchKeys gets the JWK set at url and returns its keys of the allowed algorithms.
func fetchKeys(ctx context.Context, client *http.Client, url string, allowed []string) (keySet, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", resp.Status)
	}
	doc, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS+1))
	switch {
	case err != nil:
		return nil, err
	case len(doc) > maxJWKS:
		return nil, fmt.Errorf("more than %d bytes", maxJWKS)
	}
	return publicKeys(doc, allowed)
}

// publicKeys returns the keys of a JWK set that are of the allowed algorithms, and skips what is of no use to us, as RFC
// 7517, 5 asks. A set in which one kid stands for two keys is refused: nobody could say which of them was meant.
func publicKeys(doc []byte, allowed []string) (keySet, error) {
	documents, err := splitJWKs(doc)
	if err != nil {
		return nil, err
	}
	if len(documents) > maxKeys {
		return nil, fmt.Errorf("more than %d keys", maxKeys)
	}
	var keys keySet
	for _, d := range documents {
		k, err := parseJWK(d)
		if err != nil || k.private != nil || !slices.Contains(allowed, k.alg()) || k.id != "" && !isKID(k.id) {
			continue
		}
		if slices.ContainsFunc(keys, func(other *TokenKey) bool { return other.id == k.id && other.alg() == k.alg() }) {
			return nil, errors.New("two keys of one kid and algorithm")
		}
		keys = append(keys, k)
	}
	return keys, nil
}
