package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
)

func TestGeneratedKeysParse(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^rd_(dev|prj)_[0-9A-Za-z]{36}$`)
	for _, kind := range []Kind{DeviceKey, ProjectKey} {
		k := GenerateKey(kind)
		if !form.MatchString(k.Secret) || !LooksLikeKey(k.Secret) {
			t.Errorf("a %v is not of the documented form", kind)
		}
		if k.Hash != sha256.Sum256([]byte(k.Secret)) {
			t.Errorf("a %v's hash is not the SHA-256 of its secret", kind)
		}
		if len(k.Hint) != 4 || !strings.HasSuffix(k.Secret, k.Hint) {
			t.Errorf("a %v's hint is %q, want its last 4 characters", kind, k.Hint)
		}
		hash, got, err := ParseKey(k.Secret)
		if err != nil || got != kind || hash != k.Hash {
			t.Errorf("ParseKey of a new %v: kind %v, error %v, same hash %v", kind, got, err, hash == k.Hash)
		}
	}
}

// A key made once must always be read. The checksum of this one was computed by another implementation of CRC-32.
func TestAnOldKeyStillParses(t *testing.T) {
	t.Parallel()
	const secret = "rd_dev_0123456789ABCDEFGHIJKLMNOPQRST" + "0zDSLA"
	if _, kind, err := ParseKey(secret); err != nil || kind != DeviceKey {
		t.Errorf("ParseKey = %v, %v", kind, err)
	}
}

func TestGeneratedKeysAreDistinctAndUseEveryCharacter(t *testing.T) {
	t.Parallel()
	const n = 2000
	seen := map[string]bool{}
	count := map[rune]int{}
	for range n {
		random := GenerateKey(DeviceKey).Secret[keyPrefix : keyPrefix+keyRandom]
		seen[random] = true
		for _, c := range random {
			count[c]++
		}
	}
	if len(seen) != n {
		t.Errorf("%d distinct keys of %d", len(seen), n)
	}
	// Each character is expected 968 times with a deviation of 31: 6 deviations are never met by chance, and bytes taken
	// modulo 62 without drawing again would give the first eight characters 1,170.
	for _, c := range base62 {
		if got := count[c]; got < 780 || got > 1155 {
			t.Errorf("character %q occurs %d times in %d", c, got, n*keyRandom)
		}
	}
}

func TestGenerateKeyMakesNoKeyForAPerson(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("GenerateKey(User) did not panic")
		}
	}()
	GenerateKey(User)
}

func TestParseKeyRefuses(t *testing.T) {
	t.Parallel()
	good := GenerateKey(DeviceKey).Secret
	for name, secret := range map[string]string{
		"empty":                     "",
		"null":                      "null",
		"undefined":                 "undefined",
		"prefix only":               "rd_dev_",
		"1 MB":                      strings.Repeat("a", 1<<20),
		"1 MB that starts well":     good + strings.Repeat("a", 1<<20),
		"one character short":       good[:len(good)-1],
		"one character long":        good + "0",
		"leading space":             " " + good[:len(good)-1],
		"trailing space":            good[:len(good)-1] + " ",
		"trailing line break":       good + "\r\n",
		"NUL":                       good[:20] + "\x00" + good[21:],
		"non-ASCII, same length":    good[:20] + "é" + good[22:],
		"a dash":                    good[:20] + "-" + good[21:],
		"Bearer":                    "Bearer " + good,
		"quoted":                    `"` + good + `"`,
		"unknown kind, sum matches": withChecksum("rd_usr_" + good[7:37]),
		"upper-case start":          withChecksum("RD_dev_" + good[7:37]),
		"not base62, sum matches":   withChecksum(good[:36] + "!"),
		"other kind, same rest":     "rd_prj_" + good[7:],
	} {
		_, _, err := ParseKey(secret)
		assertRefused(t, name, err)
	}
}

func TestParseKeyRefusesEveryTypo(t *testing.T) {
	t.Parallel()
	good := GenerateKey(ProjectKey).Secret
	for i := keyPrefix; i < len(good); i++ {
		for _, c := range base62 {
			typo := good[:i] + string(c) + good[i+1:]
			if _, _, err := ParseKey(typo); (err == nil) != (typo == good) {
				t.Fatalf("character %d replaced by %q: error %v", i, c, err)
			}
		}
		if i+1 < len(good) && good[i] != good[i+1] {
			swapped := good[:i] + good[i+1:i+2] + good[i:i+1] + good[i+2:]
			if _, _, err := ParseKey(swapped); err == nil {
				t.Fatalf("characters %d and %d swapped: accepted", i, i+1)
			}
		}
	}
}

func TestKeysDoNotPrintTheirSecret(t *testing.T) {
	t.Parallel()
	k := GenerateKey(DeviceKey)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "key", k)
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "key", &k)
	document, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %v", k, k, k, k, k, k, &k) + log.String() + string(document)
	if strings.Contains(printed, k.Secret[keyPrefix:keyPrefix+10]) {
		t.Errorf("the secret shows in %s", printed)
	}
	if !strings.Contains(printed, k.Hint) {
		t.Errorf("the hint does not show in %s", printed)
	}
}

func TestParseKeyAllocatesOnceAtMost(t *testing.T) {
	secret := GenerateKey(DeviceKey).Secret
	if n := testing.AllocsPerRun(100, func() { _, _, _ = ParseKey(secret) }); n > 1 {
		t.Errorf("ParseKey allocates %v times, want 1 at most", n)
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add(GenerateKey(DeviceKey).Secret)
	f.Add(GenerateKey(ProjectKey).Secret)
	f.Add("rd_dev_")
	f.Fuzz(func(t *testing.T, secret string) {
		hash, kind, err := ParseKey(secret)
		if err != nil {
			assertRefused(t, "fuzzed", err)
			return
		}
		if withChecksum(secret[:keyLength-keyChecksum]) != secret || hash != sha256.Sum256([]byte(secret)) {
			t.Errorf("accepted %q", secret)
		}
		if keyKind(kind) != secret[:keyPrefix] {
			t.Errorf("%q is said to be a %v", secret, kind)
		}
	})
}

func BenchmarkParseKey(b *testing.B) {
	secret := GenerateKey(DeviceKey).Secret
	typo := secret[:20] + "x" + secret[21:]
	b.Run("good", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = ParseKey(secret)
		}
	})
	b.Run("typo", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = ParseKey(typo)
		}
	})
}

func withChecksum(body string) string {
	return string(appendChecksum([]byte(body), crc32.ChecksumIEEE([]byte(body))))
}

// assertRefused fails the test unless err is the one answer to credentials that are not valid, with a cause for the log.
func assertRefused(t *testing.T, name string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: accepted", name)
		return
	}
	got := fault.Of(err)
	if got.Code != fault.Unauthenticated || got.Message != "the credential is not valid" || errors.Unwrap(got) == nil {
		t.Errorf("%s: refused with %v", name, err)
	}
}
