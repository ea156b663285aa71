package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// A key's secret is `rd_<kind>_<random><checksum>`: the kind is "dev" or "prj", the random part 30 base62 characters
// (178 bits), the checksum the CRC-32 (IEEE) of all before it as 6 base62 characters, highest first. The fixed start and
// the checksum let secret scanners find a leaked key (`rd_(dev|prj)_[0-9A-Za-z]{36}`) and let us refuse a mistyped one
// without asking the database; GitHub's tokens are built the same way.
const (
	keyStart    = "rd_"
	keyRandom   = 30
	keyChecksum = 6
	keyPrefix   = len("rd_dev_")
	keyLength   = keyPrefix + keyRandom + keyChecksum

	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Key is a new key. Its secret exists here and at the client, nowhere else: store Hash and Hint. Neither fmt, nor
// slog, nor encoding/json writes the secret.
type Key struct {
	Secret string   `json:"-"` // to be shown once
	Hash   [32]byte // SHA-256 of Secret, by which the key is looked up
	Hint   string   // the last 4 characters, to tell keys apart in a list; part of the checksum, so none of the secret's random part
}

// Format writes the hint, whatever the verb.
func (k Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "key …"+k.Hint) }

// GenerateKey returns a new key from crypto/rand. It panics when kind is neither DeviceKey nor ProjectKey, which only
// a mistake in the program can make it. Safe for concurrent use.
func GenerateKey(kind Kind) Key {
	b := make([]byte, 0, keyLength)
	b = append(b, keyKind(kind)...)
	b = appendRandom62(b, keyRandom)
	b = appendChecksum(b, crc32.ChecksumIEEE(b))
	return Key{Secret: string(b), Hash: sha256.Sum256(b), Hint: string(b[keyLength-4:])}
}

// ParseKey checks the form and the checksum of a key's secret, in less than a microsecond, and returns the hash to look
// it up by. A key that parses is not yet one that exists. Whatever is wrong, the fault is fault.Unauthenticated. Safe for
// concurrent use.
//
// Nothing here or at the look-up needs constant time: what is compared is a SHA-256, and whoever measures how far
// the comparison of a hash came learns nothing that helps to find a secret with that hash. For the same reason a fast hash
// is enough: 178 random bits cannot be guessed, unlike a password.
func ParseKey(secret string) (hash [32]byte, kind Kind, err error) {
	if len(secret) != keyLength {
		return hash, 0, refused(errKeyForm)
	}
	var b [keyLength]byte
	copy(b[:], secret)
	if kind = kindOfKey(secret[:keyPrefix]); kind == 0 {
		return hash, 0, refused(errKeyForm)
	}
	if !isBase62(b[keyPrefix:]) {
		return hash, 0, refused(errKeyForm)
	}
	body := b[:keyLength-keyChecksum]
	var sum [keyChecksum]byte
	if string(appendChecksum(sum[:0], crc32.ChecksumIEEE(body))) != secret[len(body):] {
		return hash, 0, refused(errKeyChecksum)
	}
	return sha256.Sum256(b[:]), kind, nil
}

// LooksLikeKey reports whether a bearer credential means to be a key and not an access token. It says nothing of
// whether it is one: give it to ParseKey.
func LooksLikeKey(credential string) bool { return strings.HasPrefix(credential, keyStart) }

var (
	errKeyForm     = errors.New("parse key: not of the form rd_<kind>_<random><checksum>")
	errKeyChecksum = errors.New("parse key: the checksum does not match")
)

const (
	deviceKeyPrefix  = keyStart + "dev_"
	projectKeyPrefix = keyStart + "prj_"
)

func keyKind(kind Kind) string {
	switch kind {
	case DeviceKey:
		return deviceKeyPrefix
	case ProjectKey:
		return projectKeyPrefix
	default:
		panic("auth: no key is of kind " + kind.String())
	}
}

func kindOfKey(prefix string) Kind {
	switch prefix {
	case deviceKeyPrefix:
		return DeviceKey
	case projectKeyPrefix:
		return ProjectKey
	default:
		return 0
	}
}

// appendRandom62 appends n characters, each of the 62 equally likely: bytes from 248 on are drawn again, as 256 is no
// multiple of 62.
func appendRandom62(b []byte, n int) []byte {
	var pool [64]byte
	for {
		_, _ = rand.Read(pool[:]) // never fails: crypto/rand ends the program instead
		for _, r := range pool {
			if n == 0 {
				return b
			}
			if r < 248 {
				b = append(b, base62[r%62])
				n--
			}
		}
	}
}

func appendChecksum(b []byte, sum uint32) []byte {
	var digits [keyChecksum]byte
	for i := keyChecksum - 1; i >= 0; i-- {
		digits[i] = base62[sum%62]
		sum /= 62
	}
	return append(b, digits[:]...)
}

func isBase62(b []byte) bool {
	for _, c := range b {
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z') {
			return false
		}
	}
	return true
}
