package auth

import (
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
)

// A refresh token is `rd_ref_<family><random><checksum>`, of base62 characters: 22 that all tokens of a session begin with
// (131 bits), 30 of this token alone (178 bits), and the checksum of a key (see GenerateKey). By its family a token that has
// been replaced is still known to be one of the session, however often that was refreshed since.
const (
	refreshPrefix = keyStart + "ref_"
	refreshFamily = 22
	refreshLength = len(refreshPrefix) + refreshFamily + keyRandom + keyChecksum
)

// Refresh is a refresh token. Its secret exists here and at the client, nowhere else: store Family and Hash. Neither fmt,
// nor slog, nor encoding/json writes the secret.
type Refresh struct {
	Secret string   `json:"-"` // to be sent once
	Family [32]byte // SHA-256 of what all tokens of the session begin with, by which it is looked up
	Hash   [32]byte // SHA-256 of Secret
}

// Format writes nothing of the secret, whatever the verb.
func (r Refresh) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "refresh token") }

// NewRefresh returns the first refresh token of a session, from crypto/rand. Safe for concurrent use.
func NewRefresh() Refresh {
	return newRefresh(appendRandom62([]byte(refreshPrefix), refreshFamily))
}

// Next returns another refresh token of the session.
func (r Refresh) Next() Refresh {
	return newRefresh([]byte(r.Secret[:len(refreshPrefix)+refreshFamily]))
}

func newRefresh(family []byte) Refresh {
	b := appendRandom62(append(make([]byte, 0, refreshLength), family...), keyRandom)
	return refreshOf(string(appendChecksum(b, crc32.ChecksumIEEE(b))))
}

// ParseRefresh checks the form and the checksum of a refresh token; one that parses is not yet one that exists. Whatever is
// wrong, the fault is fault.Unauthenticated.
func ParseRefresh(secret string) (Refresh, error) {
	if len(secret) != refreshLength || secret[:len(refreshPrefix)] != refreshPrefix || !isBase62([]byte(secret[len(refreshPrefix):])) {
		return Refresh{}, refused(errKeyForm)
	}
	body := []byte(secret[:refreshLength-keyChecksum])
	if string(appendChecksum(nil, crc32.ChecksumIEEE(body))) != secret[len(body):] {
		return Refresh{}, refused(errKeyChecksum)
	}
	return refreshOf(secret), nil
}

func refreshOf(secret string) Refresh {
	return Refresh{
		Secret: secret,
		Family: sha256.Sum256([]byte(secret[:len(refreshPrefix)+refreshFamily])),
		Hash:   sha256.Sum256([]byte(secret)),
	}
}
