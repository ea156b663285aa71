package auth

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	saltBytes = 16
	hashBytes = 32
)

// phc is a hashed password: github.com/P-H-C/phc-string-format, of which exactly `$argon2id$v=19$m=…,t=…,p=…$salt$hash`
// is read and written, base64 without padding.
type phc struct {
	cost cost
	salt []byte
	hash []byte
}

// cost holds argon2's parameters as wide as they may be written, so that a bound is checked before they are narrowed.
type cost struct {
	memory  int64 // KiB
	passes  int64
	threads int64
}

// Bounds of what is computed at all, whoever wrote the string: at most a few seconds of a core.
const (
	maxMemory  = 1 << 20 // KiB: 1 GiB
	maxWork    = 4 << 20 // KiB times passes
	maxThreads = 16
	maxSalt    = 64
	maxHash    = 64
	minSalt    = 8
	minHash    = 16
	maxPHC     = 256 // characters; the longest that passes the other bounds has 218
)

// check says what of c is out of bounds. RFC 9106, 3.1 asks for 8 KiB a thread.
func (c cost) check() error {
	switch {
	case c.threads < 1 || c.threads > maxThreads:
		return fmt.Errorf("argon2 threads must be 1 … %d", maxThreads)
	case c.memory < 8*c.threads || c.memory > maxMemory:
		return fmt.Errorf("argon2 memory must be 8 KiB a thread … %d KiB", maxMemory)
	case c.passes < 1 || c.passes > math.MaxInt32 || c.memory*c.passes > maxWork:
		return fmt.Errorf("argon2 passes must be at least 1, and memory times passes at most %d KiB", maxWork)
	default:
		return nil
	}
}

func (h phc) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, h.cost.memory, h.cost.passes, h.cost.threads, b64(h.salt), b64(h.hash))
}

// errPHC says nothing of the string, which is a secret even when it is broken.
var errPHC = errors.New("parse password hash: not a PHC string of argon2id")

// parsePHC reads what String writes, character for character, and nothing that is out of bounds.
func parsePHC(s string) (phc, error) {
	if len(s) > maxPHC {
		return phc{}, errPHC
	}
	fields := strings.Split(s, "$")
	if len(fields) != 6 {
		return phc{}, errPHC
	}
	c, err := parseCost(fields[3])
	if err != nil {
		return phc{}, err
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(fields[4])
	hash, hashErr := base64.RawStdEncoding.DecodeString(fields[5])
	h := phc{cost: c, salt: salt, hash: hash}
	if saltErr != nil || hashErr != nil || h.String() != s {
		return phc{}, errPHC
	}
	if len(salt) < minSalt || len(salt) > maxSalt || len(hash) < minHash || len(hash) > maxHash {
		return phc{}, errors.New("parse password hash: salt or hash of a length that is not used")
	}
	return h, nil
}

func parseCost(s string) (cost, error) {
	var c cost
	fields := strings.Split(s, ",")
	into := []struct {
		name  string
		value *int64
	}{{"m=", &c.memory}, {"t=", &c.passes}, {"p=", &c.threads}}
	if len(fields) != len(into) {
		return cost{}, errPHC
	}
	for i, f := range into {
		digits, found := strings.CutPrefix(fields[i], f.name)
		n, err := strconv.ParseInt(digits, 10, 32)
		if !found || err != nil {
			return cost{}, errPHC
		}
		*f.value = n
	}
	if err := c.check(); err != nil {
		return cost{}, fmt.Errorf("parse password hash: %w", err)
	}
	return c, nil
}

// derive computes the hash of password with h's cost and salt: tens of milliseconds and h.cost.memory.
func (h phc) derive(password string, length int) []byte {
	return argon2.IDKey([]byte(password), h.salt,
		uint32(h.cost.passes), uint32(h.cost.memory), uint8(h.cost.threads), uint32(length))
}

func (h phc) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.derive(password, len(h.hash)), h.hash) == 1
}

func (h phc) madeWith(c cost) bool {
	return h.cost == c && len(h.salt) == saltBytes && len(h.hash) == hashBytes
}
