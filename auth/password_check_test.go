package auth

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/readout-dev/readout/internal/fault"
)

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	const email = "Ann.Lovelace+lab@analytical-engine.org"
	for _, c := range []struct {
		password string
		want     string // a piece of the message; "" when accepted
	}{
		{"correct horse battery", ""},
		{"k7#Vq2!mZp9x", ""},
		{"twelve chars", ""},
		{"lovelace and the difference", ""}, // enough besides the name
		{"readout of my old boiler", ""},
		{"日本語のパスワードは長いほどよい", ""},
		{"my password is a whole sentence", ""},
		{"12 dogs, 9 cats, 4 owls", ""},

		{"", "at least 12"},
		{"seven77", "at least 12"},
		{"elevenchars", "at least 12"},
		{"日本語のパスワード", "at least 12"}, // 9 characters in 27 bytes
		{strings.Repeat("correct ", 32) + "x", "at most 256"},

		{"aaaaaaaaaaaa", "repeats"},
		{"            ", "repeats"},
		{"121212121212", "repeats"},
		{"abcabcabcabca", "repeats"},
		{"PasswordPassword", "repeats"},
		{"k7#Vq2k7#Vq2", "repeats"},
		{"ééééééééééééé", "repeats"},

		{"123456789012", "sequences"},
		{"abcdefghijkl", "sequences"},
		{"ABCDEFGHIJKL", "sequences"},
		{"lkjihgfedcba", "sequences"},
		{"qwertyuiop[]", "little more"},
		{"qwertyuiopasdf", "sequences"},
		{"qwertyuiopasdfgh", "sequences"},
		{"1qaz2wsx3edc", "sequences"},
		{"1q2w3e4r5t6y", "sequences"},
		{"aaabbbcccddd", "sequences"},
		{"abc123def456", "sequences"},
		{"mnbvcxzlkjhg", "sequences"},

		{"correcthorsebatterystaple", "most common"},
		{"Correcthorsebatterystaple", "most common"},
		{"manchesterunited", "most common"},
		{"maythef0rcebew1thy0u", "most common"},

		{"password1234", "little more"},
		{"P@ssw0rd2026!", "little more"},
		{"Readout2026!", "little more"},
		{"readout-readout-1", "little more"},
		{"R34d0ut-admin1", "little more"},
		{"adminadmin1234", "little more"},
		{"ann.lovelace+lab@analytical-engine.org", "little more"},
		{"ANN.LOVELACE+LAB@ANALYTICAL-ENGINE.ORG", "little more"},
		{"lovelace2026", "little more"},
		{"analyticalengine", "little more"},
	} {
		err := CheckPassword(c.password, email)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%q is refused: %v", c.password, err)
		case c.want != "" && (err == nil || !strings.Contains(fault.Of(err).Message, c.want)):
			t.Errorf("%q: %v, want a message that says %q", c.password, err, c.want)
		}
	}
}

func TestCheckPasswordCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		password string
		want     fault.Code
	}{
		{"short", fault.Invalid},
		{strings.Repeat("correct horse ", 80_000), fault.TooLarge},
		{"not UTF-8 \xff\xfe at all", fault.TextInvalid},
	} {
		if err := CheckPassword(c.password, ""); !fault.Is(err, c.want) {
			t.Errorf("a password of %d bytes: %v, want %s", len(c.password), err, c.want)
		}
	}
}

func TestCheckPasswordKnowsNoWordsFromAnEmptyAddress(t *testing.T) {
	t.Parallel()
	for _, email := range []string{"", "@", "a@b.co", "...@..."} {
		if err := CheckPassword("correct horse battery", email); err != nil {
			t.Errorf("with the address %q: %v", email, err)
		}
	}
}

func TestCommonPasswordsEarnTheirPlace(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(commonPasswords[:]) {
		t.Fatal("commonPasswords is not sorted")
	}
	for _, p := range commonPasswords {
		if utf8.RuneCountInString(p) < MinPassword || p != strings.ToLower(p) {
			t.Errorf("%q is short or not in lower case", p)
		}
		if err := CheckPassword(p, ""); err == nil || !strings.Contains(fault.Of(err).Message, "most common") {
			t.Errorf("%q: %v, want it on the list", p, err)
		}
		if !isOnlyOnTheList(p) {
			t.Errorf("%q is refused by a rule already", p)
		}
	}
	for _, w := range commonWords {
		if w != strings.ToLower(w) || len(w) < 4 {
			t.Errorf("%q is short or not in lower case", w)
		}
	}
}

// isOnlyOnTheList reports whether no rule but the list refuses p.
func isOnlyOnTheList(p string) bool {
	little := littleMoreThan(obviousWords(""))
	return !repeats([]rune(p)) && !isSequence(p) && !little(p) && !little(unleet.Replace(p))
}

func FuzzCheckPassword(f *testing.F) {
	f.Add("correct horse battery", "ann@example.org")
	f.Add("qwertyuiop123", "")
	f.Add("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\xff@\xff")
	f.Fuzz(func(t *testing.T, password, email string) {
		err := CheckPassword(password, email)
		if err == nil && (utf8.RuneCountInString(password) < MinPassword || len(password) > MaxPassword) {
			t.Errorf("accepted %q", password)
		}
	})
}
