package store_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// matching returns those of the texts that PostgreSQL matches with the translation of re.
func matching(t testing.TB, pool *pgxpool.Pool, re string, texts []string) (found []string) {
	t.Helper()
	pattern, err := store.Pattern(re)
	if err != nil {
		t.Fatalf("%q: %v", re, err)
	}
	const query = `select coalesce(array_agg(t order by n), '{}') from unnest($1::text[]) with ordinality as texts(t, n) where t ~ $2`
	if err := pool.QueryRow(t.Context(), query, texts, pattern).Scan(&found); err != nil {
		t.Fatalf("%q, which is %q: %v", re, pattern, err)
	}
	return found
}

// wanted returns those of the texts that Go matches from their beginning to their end.
func wanted(re string, texts []string) []string {
	whole := regexp.MustCompile(`\A(?:` + re + `)\z`)
	found := []string{}
	for _, text := range texts {
		if whole.MatchString(text) {
			found = append(found, text)
		}
	}
	return found
}

func TestPatternMeansToPostgresWhatItMeansToGo(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	texts := []string{
		"", "a", "b", "ab", "aB", "AB", "aab", "abab", "k", "K", "\u212A", "ß", "ſ", "s", "é", "É", "Σ", "σ", "ς", "€", "😀", "a\nb", "\n", "a b", "a_b", "a-b",
		"hall-12", "hall-7a", "Hall 12", "12", "١٢", "_", "%", "a%", `\`, "[", "]", "^", "$", "a^b", "{2}", "aa", strings.Repeat("a", 256), strings.Repeat("a", 200), strings.Repeat("a", 199), strings.Repeat("ab", 64),
		"***:a", "(?i)a", "x\u00A0y", "ǅ", "ı", "İ", "i", "I",
	}
	for _, re := range []string{
		``, `a`, `a|b`, `(a)(b)`, `(?:)`, `()*`, `(|a)+b?`, `(a*)*`, `(a+)+b`, `(a|aa)+`, `a{2}`, `a{0}`, `a{0,0}b`, `a{200}`, `a{199,}`, `a{0,200}`, `a{100,200}`, `(ab){64}`, `(ab?){3}`, `(a{2}){0,9}`,
		`.*`, `(?s).*`, `.`, `[^a]`, `[^\n]*`, `(?i)k`, `(?i)KELVIN|K`, `(?i)[k]`, `(?i)ß|ſ`, `(?i)Σ`, `(?i)i`, `(?i)ab`, `(?i:a)B`, `\d+`, `\w+`, `\s`, `\S+`, `\W`, `[[:alpha:]]+`, `\pL`, `\p{Greek}`, `\PN+`,
		`[€-😀]`, `\x{1F600}`, `\x00`, `[\x00-b]`, `[^\x00-\x{10FFFF}]`, `[^\x01-\x{10FFFF}]`, `^a$`, `a^b`, `a$b`, `^^a$$`, `(^|b)a`, `(^a|b)`, `(?m)a$\nb`, `(?m)a\n^b`, `(?m)^$\n^$`, `(?m)(^.$|\n)`,
		`\Aa\z`, `\ba\b`, `\b.*\b`, `a\b.\bb`, `a\B.*`, `\B`, `\b`, `\b\B`, `\b\bhall\b.*\b`, `(\b|a)a*`, `\Q***:a\E`, `\(\?i\)a`, `\Q\\E`, `[\]\[^]`, `[$^\\]`, `%`, `a%`, `\{2}`, `a.?b`, `a.*?b`, `(?U)a+`, `a??b`,
		`hall-\d+[a-z]?`, `[Hh]all.(7a|12)`, `(?P<n>a)`, `(?i)(?-i)A`, `x\x{A0}y`, `\pZ|\w*\PLy`,
	} {
		if got, want := matching(t, pool, re, texts), wanted(re, texts); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", re, got, want)
		}
	}
}

func TestPatternsAtRandomAgreeWithGo(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	text := rapid.StringOf(rapid.SampledFrom([]rune("aabbAB_-\n €ßſsk\u212A1")))
	rapid.Check(t, func(r *rapid.T) {
		re := expressions(3).Draw(r, "re")
		texts := rapid.SliceOfN(text, 1, 40).Draw(r, "texts")
		if _, err := store.Pattern(re); fault.Is(err, fault.Invalid) {
			r.Skip("too large")
		}
		if got, want := matching(t, pool, re, texts), wanted(re, texts); !slices.Equal(got, want) {
			translated, _ := store.Pattern(re)
			r.Fatalf("%q, which is %q: got %q, want %q", re, translated, got, want)
		}
	})
}

// expressions are regular expressions that nest as deep as depth says.
func expressions(depth int) *rapid.Generator[string] {
	atom := rapid.SampledFrom([]string{
		`a`, `b`, `ab`, `[ab]`, `[^a]`, `.`, `\n`, `-`, `_`, `€`, `ß`, `k`, `1`, ` `, `\d`, `\w`, `\W`, `\s`, `[[:upper:]]`, `^`, `$`, `\A`, `\z`, `\b`, `\B`, `(?m:^)`, `(?m:$)`, `(?s:.)`, `(?i:a)`, `(?i:s)`, `(?i:k)`, `()`, `\pL`,
	})
	if depth == 0 {
		return atom
	}
	return rapid.Custom(func(r *rapid.T) string {
		sub := expressions(depth - 1)
		a := sub.Draw(r, "a")
		switch rapid.IntRange(0, 6).Draw(r, "kind") {
		case 0, 1:
			return a + sub.Draw(r, "b")
		case 2:
			return a + "|" + sub.Draw(r, "b")
		case 3, 4:
			return "(" + a + ")" + rapid.SampledFrom([]string{"*", "+", "?", "*?", "{2}", "{0,2}", "{1,3}", "{2,}", "{0}"}).Draw(r, "times")
		case 5:
			return "(?i:" + a + ")"
		}
		return "(" + a + ")"
	})
}

func TestPatternThatCannotBeUsedIsRefused(t *testing.T) {
	t.Parallel()
	for _, re := range []string{
		`(`, `a**`, `[b-a]`, `\1`, `(?=a)`, `a{1001}`, `\pX`, "\xff", `a(?R)`, `*`, `(?<!a)`,
		strings.Repeat("a", 257), `(.{0,1000}){0,1000}`, `.{0,1000}.{0,1000}`, `((a{10}){10}){10}`, `(ab){500}`, strings.Repeat(`\pL`, 80), `(\b){500}`, `(\ba)*`, `\b\b\b\b\b`, `(?m:^a)+`, `(^?a?$?){30}`, `(^|b)+a`, `^^^^^^^^^a`,
		`a{201}`, `a{201,}`, `(ab){101}`, `((0|1)?){0,130}x`, `(?:[0-9a-z]{0,19}x?){0,10}z`, `(a?){2}`, `(a*b?){0,9}`, `(a|b*){3,}`, `((a?){1}){5}`, `(){5}`, `(x(a?b?){2})*`,
	} {
		if got, err := store.Pattern(re); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.40q: got %.60q and %v, want a fault", re, got, err)
		}
	}
}

// What gets through the limits is compiled and matched in little time, whatever it is: here against 2,000 values of the
// greatest length.
func TestHostilePatternIsQuick(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	random := rand.New(rand.NewPCG(1, 2))
	texts := make([]string, 2000)
	for i := range texts {
		b := make([]byte, 256)
		for j := range b {
			b[j] = "aaab"[random.IntN(4)]
		}
		texts[i] = string(b)
	}
	for _, re := range []string{
		`(a+)+$`, `(a+)+c`, `(a|aa)+c`, `((a*)*)*c`, `(.*)*c`, `.{0,190}c`, `(.{1,14}){0,12}c`, `.*a.{190}`, `.{0,60}.{0,60}.{0,60}c`, `(.{0,13}.){0,13}c`, `(a|b)*a(a|b){80}`, `.*(\b|a|b).*\b.*c`, `\b.*\B.*\b.*\B.*c`, `(^|a|$)(^|b|$)(^|a|$)(^|b|$)`, `(^|a*|$)(^|b*|$)(^|.*|$)(^|a*|$)c`, `(\b|a*)(\b|b*)(\b|.*)(\b|a*)c`, `(?m)(^|.*|$)(^|a*|$)(^|.*|$)(^|a*|$)c`, `(\b|a)(^|b)($|a)(\B|.*)`, `\b\B\b\Ba*c`,
		strings.Repeat(`(a*`, 50) + strings.Repeat(`)*`, 50), strings.Repeat(".*", 95) + "c", strings.Repeat("[^a]?", 50) + "c", strings.Repeat("%", 200), `(\pL|\pN){80}`, `[^a]{40}[^b]{40}[^c]{40}[^d]{40}`, strings.Repeat(".?", 80) + "c",
		`(?i)` + strings.Repeat("k", 200),
	} {
		start := time.Now()
		matching(t, pool, re, texts)
		if took := time.Since(start); took > 6*time.Second { // 0 to 2 s; what the limits keep out takes 30
			t.Errorf("%.40q took %v", re, took)
		}
	}
}
