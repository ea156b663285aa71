package auth

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/readout-dev/readout/internal/fault"
)

// MinPassword is the shortest password in characters (Unicode code points, as NIST SP 800-63B counts them).
const MinPassword = 12

// CheckPassword returns nil if password may be chosen by the person with this e-mail address (empty if there is none).
// There are no rules of composition; refused is what is guessed first: passwords on a list of common ones, repetitions,
// sequences of the alphabet and the keyboard, and whatever is little more than the product's name, the address or a
// word that half the world uses. The message says which.
//
// Faults: fault.Invalid, fault.TooLarge over MaxPassword, fault.TextInvalid when it is not UTF-8.
func CheckPassword(password, email string) error {
	if len(password) > MaxPassword {
		return errPasswordLong()
	}
	if !utf8.ValidString(password) {
		return fault.New(fault.TextInvalid, "a password is UTF-8 text")
	}
	if utf8.RuneCountInString(password) < MinPassword {
		return fault.New(fault.Invalid, "a password has at least %d characters", MinPassword)
	}
	lower := strings.ToLower(password)
	spellings := []string{lower, unleet.Replace(lower)}
	switch {
	case repeats([]rune(lower)):
		return fault.New(fault.Invalid, "the password repeats a few characters")
	case isSequence(lower):
		return fault.New(fault.Invalid, "the password is made of simple sequences")
	case slices.ContainsFunc(spellings, isCommon):
		return fault.New(fault.Invalid, "the password is one of the most common ones")
	case slices.ContainsFunc(spellings, littleMoreThan(obviousWords(email))):
		return fault.New(fault.Invalid,
			"the password is little more than the product's name, the e-mail address or a common word")
	default:
		return nil
	}
}

// unleet undoes the usual substitutions in lower-case text.
var unleet = strings.NewReplacer("@", "a", "4", "a", "0", "o", "1", "i", "!", "i", "3", "e", "$", "s", "5", "s", "7", "t")

// repeats reports whether s is one unit shorter than a password should be, said twice or more, the last time perhaps
// in part: it is then no stronger than the unit.
func repeats(s []rune) bool {
	for unit := 1; unit < MinPassword && 2*unit <= len(s); unit++ {
		if slices.Equal(s[unit:], s[:len(s)-unit]) {
			return true
		}
	}
	return false
}

// walks are the sequences that fingers and memory follow; isSequence looks at them in both directions.
var walks = [...]string{
	"abcdefghijklmnopqrstuvwxyz", "01234567890123456789",
	"qwertyuiop", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
	"!@#$%^&*()_+", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "1q2w3e4r5t6y7u8i9o0p", "qawsedrftgyhujikolp",
	"qazwsxedcrfvtgbyhnujm",
}

// isSequence reports whether all of s is made of runs of at least 3 characters, each along a walk or of one character.
func isSequence(s string) bool {
	made := make([]bool, len(s)+1) // made[i]: s[:i] is made of runs
	made[0] = true
	for from := range len(s) {
		if !made[from] {
			continue
		}
		for to := from + 3; to <= len(s) && isRun(s[from:to]); to++ {
			made[to] = true
		}
	}
	return made[len(s)]
}

func isRun(s string) bool {
	if strings.Count(s, s[:1]) == len(s) {
		return true
	}
	back := []byte(s)
	slices.Reverse(back)
	return slices.ContainsFunc(walks[:], func(walk string) bool {
		return strings.Contains(walk, s) || strings.Contains(walk, string(back))
	})
}

// enough is how many characters besides obvious words make a password: NIST's least length of any.
const enough = 8

// littleMoreThan returns whether fewer than enough characters are left of s without the words.
func littleMoreThan(words []string) func(s string) bool {
	return func(s string) bool {
		for _, w := range words {
			s = strings.ReplaceAll(s, w, "")
		}
		return utf8.RuneCountInString(s) < enough
	}
}

// obviousWords returns, in lower case and the longest first, the product's name, common words, the e-mail address and
// its parts of 4 bytes or more.
func obviousWords(email string) []string {
	email = strings.ToLower(email)
	words := append([]string{"readout"}, commonWords[:]...)
	for _, part := range append(strings.FieldsFunc(email, isAddressMark), email) {
		if len(part) >= 4 {
			words = append(words, part)
		}
	}
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	return words
}

func isAddressMark(r rune) bool { return strings.ContainsRune("@.+-_", r) }

func isCommon(s string) bool {
	_, found := slices.BinarySearch(commonPasswords[:], s)
	return found
}
