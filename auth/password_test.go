package auth

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// cheap is a cost that tests can afford.
var cheap = PasswordConfig{MemoryKiB: 64, Passes: 1}

func TestHashAndVerify(t *testing.T) {
	t.Parallel()
	p := NewPasswords(cheap)
	for _, password := range []string{
		"correct horse battery", "pässwörd mit ümlaut", "with\x00NUL inside it", strings.Repeat("x", MaxPassword),
	} {
		stored, err := p.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		for try, want := range map[string]bool{
			password: true, password + " ": false, password[:len(password)-1]: false, "": false, strings.ToUpper(password): false,
		} {
			ok, rehash, err := p.Verify(t.Context(), stored, try)
			if ok != want || rehash || err != nil {
				t.Errorf("Verify(hash of %q, %q) = %v, %v, %v; want %v", password, try, ok, rehash, err, want)
			}
		}
	}
}

func TestHashIsSaltedAndOfTheDocumentedForm(t *testing.T) {
	t.Parallel()
	p := NewPasswords(PasswordConfig{})
	form := regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
	var hashes [2]string
	for i := range hashes {
		var err error
		if hashes[i], err = p.Hash(t.Context(), "correct horse battery"); err != nil {
			t.Fatal(err)
		}
		if !form.MatchString(hashes[i]) {
			t.Errorf("Hash = %s, not of the documented form", hashes[i])
		}
	}
	if hashes[0] == hashes[1] {
		t.Error("the same password twice has the same hash")
	}
}

// The strings are test vectors of argon2's reference implementation (its src/test.c).
func TestVerifyReadsForeignHashesAndAsksForARehash(t *testing.T) {
	t.Parallel()
	p := NewPasswords(cheap)
	for _, stored := range []string{
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
	} {
		ok, rehash, err := p.Verify(t.Context(), stored, "password")
		if !ok || !rehash || err != nil {
			t.Errorf("Verify(%s) = %v, %v, %v; want true, true", stored, ok, rehash, err)
		}
		ok, rehash, err = p.Verify(t.Context(), stored, "differentpassword")
		if ok || rehash || err != nil {
			t.Errorf("Verify(%s) of a wrong password = %v, %v, %v; want false, false", stored, ok, rehash, err)
		}
	}
}

func TestVerifyRefusesBrokenHashes(t *testing.T) {
	t.Parallel()
	p := NewPasswords(cheap)
	const salt, hash = "c29tZXNhbHRzb21lc2FsdA", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	good := "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + hash
	if _, _, err := p.Verify(t.Context(), good, "x"); err != nil {
		t.Fatalf("the string that the cases are made of is refused: %v", err)
	}
	swap := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, stored := range map[string]string{
		"empty":                  "",
		"dollars":                "$$$$$",
		"bcrypt":                 "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
		"argon2i":                swap("argon2id", "argon2i"),
		"old version":            swap("v=19", "v=16"),
		"no version":             swap("$v=19", ""),
		"text before":            "x" + good,
		"text after":             good + "$",
		"line break after":       good + "\n",
		"line break in the salt": swap("c29t", "c29t\n"),
		"memory 0":               swap("m=64", "m=0"),
		"memory 7":               swap("m=64", "m=7"),
		"memory over 1 GiB":      swap("m=64", "m=1048577"),
		"memory over 32 bits":    swap("m=64", "m=4294967360"),
		"memory over 64 bits":    swap("m=64", "m=18446744073709551680"),
		"memory negative":        swap("m=64", "m=-64"),
		"memory with a plus":     swap("m=64", "m=+64"),
		"memory with a zero":     swap("m=64", "m=064"),
		"memory in hex":          swap("m=64", "m=0x40"),
		"memory empty":           swap("m=64", "m="),
		"passes 0":               swap("t=1", "t=0"),
		"passes for an hour":     swap("t=1", "t=2000000"),
		"memory times passes":    swap("m=64,t=1", "m=1048576,t=5"),
		"threads 0":              swap("p=1", "p=0"),
		"threads 256":            swap("p=1", "p=256"),
		"threads over memory":    swap("p=1", "p=9"),
		"order of parameters":    swap("m=64,t=1", "t=1,m=64"),
		"parameter missing":      swap(",p=1", ""),
		"parameter too many":     swap("p=1", "p=1,keyid=x"),
		"salt empty":             swap(salt, ""),
		"salt of 7 bytes":        swap(salt, "c29tZXNhbA"),
		"salt of 65 bytes":       swap(salt, strings.Repeat("A", 87)),
		"salt padded":            swap(salt, salt+"=="),
		"salt in base64url":      swap(salt, "c29tZXNhbHRzb21lc2Fs-_"),
		"salt with loose bits":   swap(salt, salt[:21]+"B"),
		"hash empty":             swap(hash, ""),
		"hash of 15 bytes":       swap(hash, strings.Repeat("A", 20)),
		"hash of 65 bytes":       swap(hash, strings.Repeat("A", 87)),
		"1 MB":                   good + strings.Repeat("A", 1<<20),
	} {
		ok, rehash, err := p.Verify(t.Context(), stored, "x")
		if ok || rehash || err == nil {
			t.Errorf("%s: Verify = %v, %v, %v; want an error", name, ok, rehash, err)
			continue
		}
		if strings.Contains(err.Error(), "nf65EOg") || strings.Contains(err.Error(), "c29tZ") {
			t.Errorf("%s: the error shows the hash: %v", name, err)
		}
	}
}

func TestTooLongPasswordsAreNeverCut(t *testing.T) {
	t.Parallel()
	p := NewPasswords(cheap)
	longest := strings.Repeat("x", MaxPassword)
	if _, err := p.Hash(t.Context(), longest+"x"); !fault.Is(err, fault.TooLarge) {
		t.Errorf("Hash of one byte too many: %v, want %s", err, fault.TooLarge)
	}
	stored, err := p.Hash(t.Context(), longest)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := p.Verify(t.Context(), stored, longest+"x"); ok || err != nil {
		t.Errorf("Verify of one byte too many = %v, %v; want false", ok, err)
	}
}

func TestEveryComputationGoesThroughTheGate(t *testing.T) {
	t.Parallel()
	p := NewPasswords(PasswordConfig{MemoryKiB: 64, Passes: 1, Concurrent: 2, Waiting: 1})
	stored, err := p.Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	for range cap(p.gate.inside) {
		if err := p.gate.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p.gate.waiting.Add(1) // and one waits already
	for name, call := range map[string]func() error{
		"Hash":          func() error { _, err := p.Hash(t.Context(), "correct horse"); return err },
		"Verify":        func() error { _, _, err := p.Verify(t.Context(), stored, "correct horse"); return err },
		"VerifyNothing": func() error { return p.VerifyNothing(t.Context(), "correct horse") },
	} {
		err := call()
		if !fault.Is(err, fault.TooMany) || fault.Of(err).RetryAfter <= 0 {
			t.Errorf("%s with a full queue: %v, want %s with RetryAfter", name, err, fault.TooMany)
		}
	}
	if p.Waiting() != 1 {
		t.Errorf("%d wait after the refusals, want 1", p.Waiting())
	}
}

func TestGateLetsInWhoeverWaitedAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 2)
		entered := make(chan error, 8)
		for range 4 {
			go func() { entered <- g.enter(t.Context()) }()
		}
		synctest.Wait()
		if len(entered) != 2 || g.waiting.Load() != 2 {
			t.Fatalf("%d inside and %d waiting, want 2 and 2", len(entered), g.waiting.Load())
		}
		if err := g.enter(t.Context()); !fault.Is(err, fault.TooMany) {
			t.Errorf("enter with a full queue: %v, want %s", err, fault.TooMany)
		}
		g.leave()
		synctest.Wait()
		if len(entered) != 3 || g.waiting.Load() != 1 {
			t.Errorf("after one left: %d were let in and %d wait, want 3 and 1", len(entered), g.waiting.Load())
		}
		g.leave()
		synctest.Wait()
		g.leave()
		g.leave()
		for range 4 {
			if err := <-entered; err != nil {
				t.Errorf("enter: %v", err)
			}
		}
		if g.waiting.Load() != 0 || len(g.inside) != 0 {
			t.Errorf("%d inside and %d waiting at the end", len(g.inside), g.waiting.Load())
		}
	})
}

func TestGateLetsGoOfCallersWhoseContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 2)
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := g.enter(ctx)
		if !fault.Is(err, fault.TooMany) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("enter until the deadline: %v, want %s caused by it", err, fault.TooMany)
		}
		g.leave()
		if err := g.enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("enter after the deadline, though there is room: %v", err)
		}
		if g.waiting.Load() != 0 || len(g.inside) != 0 {
			t.Errorf("%d inside and %d waiting at the end", len(g.inside), g.waiting.Load())
		}
	})
}

func TestVerifyNothingTakesAsLongAsVerify(t *testing.T) {
	p := NewPasswords(PasswordConfig{MemoryKiB: 4096, Passes: 1})
	stored, err := p.Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	known := quickest(func() { _, _, _ = p.Verify(t.Context(), stored, "wrong horse battery") })
	unknown := quickest(func() { _ = p.VerifyNothing(t.Context(), "wrong horse battery") })
	if unknown < known/3 || unknown > known*3 {
		t.Errorf("an unknown account takes %v, a known one %v", unknown, known)
	}
}

// quickest returns the shortest of a few runs: what else the machine does only ever adds.
func quickest(run func()) time.Duration {
	best := time.Hour
	for range 9 {
		start := time.Now()
		run()
		best = min(best, time.Since(start))
	}
	return best
}

func TestPasswordConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config PasswordConfig
		want   string // "" for none
	}{
		{PasswordConfig{}, ""},
		{cheap, ""},
		{PasswordConfig{MemoryKiB: 7}, "memory"},
		{PasswordConfig{MemoryKiB: -1}, "memory"},
		{PasswordConfig{MemoryKiB: 1<<20 + 1}, "memory"},
		{PasswordConfig{Passes: -1}, "passes"},
		{PasswordConfig{MemoryKiB: 1 << 20, Passes: 5}, "passes"},
		{PasswordConfig{Concurrent: -1}, "Concurrent"},
		{PasswordConfig{Waiting: -1}, "Waiting"},
	} {
		err := c.config.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("Validate of %+v: %v, want %q", c.config, err, c.want)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$argon2id$v=19$m=1,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parsePHC(s)
		if err == nil && (h.String() != s || h.cost.check() != nil) {
			t.Errorf("accepted %q as %v", s, h)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	p := NewPasswords(PasswordConfig{})
	for b.Loop() {
		_, _ = p.Hash(b.Context(), "correct horse battery")
	}
}
