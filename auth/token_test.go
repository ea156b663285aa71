package auth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/readout-dev/readout/internal/fault"
)

var (
	testSecret  = []byte("q8Zt0VxN4cJr7Wm2Yb5Hf9Ks1Gd6Lp3A")
	otherSecret = []byte("A3pL6dG1sK9fH5bY2mW7rJc4NxV0tZ8q")
)

// bench is a Tokens with a leeway of 30 s, whose clock stands still, and the means to forge for it.
type bench struct {
	*Tokens
	clock *clock
}

func setupTokens(t testing.TB) bench {
	t.Helper()
	now := newClock()
	tokens, err := NewTokens(TokenConfig{Secret: testSecret, Leeway: 30 * time.Second, Now: now.Now})
	if err != nil {
		t.Fatal(err)
	}
	return bench{tokens, now}
}

func (b bench) issue(t testing.TB) string {
	t.Helper()
	token, _, err := b.Issue(7)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// claims returns good claims as JSON, with changes: a name and the JSON it gets, "" to leave the claim out.
func (b bench) claims(changes ...string) string {
	now := b.clock.Now().Unix()
	all := []string{
		"iss", `"readout"`, "aud", `"readout"`, "sub", `"7"`,
		"exp", strconv.FormatInt(now+900, 10), "iat", strconv.FormatInt(now, 10), "jti", `"id"`,
	}
	return document(append(all, changes...))
}

// document writes pairs of a name and JSON as an object; a name's last pair counts and "" leaves it out.
func document(pairs []string) string {
	last := map[string]int{}
	for i := 0; i < len(pairs); i += 2 {
		last[pairs[i]] = i
	}
	var members []string
	for i := 0; i < len(pairs); i += 2 {
		if last[pairs[i]] == i && pairs[i+1] != "" {
			members = append(members, fmt.Sprintf("%q:%s", pairs[i], pairs[i+1]))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

const goodHeader = `{"alg":"HS256","typ":"at+jwt"}`

// forged returns a token with any header and claims, rightly signed with HS256 and secret.
func forged(header, claims string, secret []byte) string {
	return forgedWith(jwt.SigningMethodHS256, header, claims, secret)
}

func forgedWith(method *jwt.SigningMethodHMAC, header, claims string, secret []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64([]byte(header)) + "." + b64([]byte(claims))
	signature, err := method.Sign(signed, secret)
	if err != nil {
		panic(err)
	}
	return signed + "." + b64(signature)
}

func TestIssuedTokensVerify(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	token, expires, err := b.Issue(1<<63 - 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := b.clock.Now().Add(15 * time.Minute); !expires.Equal(want) || expires.Location() != time.UTC {
		t.Errorf("expires %v, want %v in UTC", expires, want)
	}
	c, err := b.Verify(token)
	if err != nil || c.User != 1<<63-1 || !c.Expires.Equal(expires) || len(c.ID) < 22 {
		t.Errorf("Verify = %+v, %v", c, err)
	}
	second, err := b.Verify(b.issue(t))
	if err != nil || second.ID == c.ID {
		t.Errorf("two tokens of one second have the ids %q and %q (%v)", c.ID, second.ID, err)
	}
}

func TestIssueTakesOnlyUsersIDs(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	for _, user := range []int64{0, -1, -1 << 63} {
		if token, _, err := b.Issue(user); err == nil || token != "" {
			t.Errorf("Issue(%d) = %q, %v; want an error", user, token, err)
		}
	}
}

// What Issue makes is a JWT for everyone, not for our own reader alone.
func TestIssuedTokensAreReadByOthers(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	parsed, err := jwt.Parse(b.issue(t), func(*jwt.Token) (any, error) { return testSecret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("readout"), jwt.WithAudience("readout"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(b.clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	if typ := parsed.Header["typ"]; typ != "at+jwt" {
		t.Errorf("typ = %v, want at+jwt", typ)
	}
	if sub, err := parsed.Claims.GetSubject(); sub != "7" || err != nil {
		t.Errorf("sub = %q, %v; want 7", sub, err)
	}
}

func TestTokensOfOthersWithTheSameSecretAreAccepted(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	now := b.clock.Now().Unix()
	for name, token := range map[string]string{
		"members in another order": forged(`{"typ":"at+jwt","alg":"HS256"}`, b.claims(), testSecret),
		"space in the JSON":        forged(" {\n\"alg\" : \"HS256\", \"typ\":\"at+jwt\" } ", " "+b.claims()+"\n", testSecret),
		"a claim we do not know":   forged(goodHeader, b.claims("role", `{"x":[1,{"}":"\"]}\\"}]}`), testSecret),
		"escapes in JSON strings":  forged(goodHeader, b.claims("aud", `"re\u0061dout"`, "jti", `"\""`), testSecret),
		"nbf now":                  forged(goodHeader, b.claims("nbf", fmt.Sprint(now)), testSecret),
		"nbf within the leeway":    forged(goodHeader, b.claims("nbf", fmt.Sprint(now+30)), testSecret),
		"iat within the leeway":    forged(goodHeader, b.claims("iat", fmt.Sprint(now+30)), testSecret),
		"exp just in the leeway":   forged(goodHeader, b.claims("iat", fmt.Sprint(now-900), "exp", fmt.Sprint(now-29)), testSecret),
	} {
		if c, err := b.Verify(token); err != nil || c.User != 7 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

func TestAlgorithmConfusionIsRefused(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	good := strings.Split(b.issue(t), ".")
	algs := []string{
		`"alg":"none",`, `"alg":"None",`, `"alg":"nOnE",`, `"alg":"NONE",`, `"alg":"",`, `"alg":null,`, `"alg":0,`, `"alg":[],`,
		`"alg":["HS256"],`, `"alg":{},`, ``, `"alg":"hs256",`, `"alg":"HS256 ",`, `"alg":"HS384",`, `"alg":"HS512",`,
		`"alg":"RS256",`, `"alg":"ES256",`, `"alg":"EdDSA",`, `"Alg":"HS256",`,
	}
	for _, alg := range algs {
		header := "{" + alg + `"typ":"at+jwt"}`
		unsigned := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + good[1] + "."
		for name, token := range map[string]string{
			"no signature":        unsigned,
			"no third part":       strings.TrimSuffix(unsigned, "."),
			"the old signature":   unsigned + good[2],
			"a foreign signature": forged(header, b.claims(), otherSecret),
			"a right signature":   forged(header, b.claims(), testSecret),
		} {
			_, err := b.Verify(token)
			assertRefused(t, header+" with "+name, err)
		}
	}
	for _, method := range []*jwt.SigningMethodHMAC{jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
		_, err := b.Verify(forgedWith(method, `{"alg":"`+method.Name+`","typ":"at+jwt"}`, b.claims(), testSecret))
		assertRefused(t, method.Name+" with the right key", err)
		_, err = b.Verify(forgedWith(method, goodHeader, b.claims(), testSecret))
		assertRefused(t, method.Name+" under the name of HS256", err)
	}
}

func TestHeadersAreRefused(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	for _, header := range []string{
		`{"alg":"HS256"}`,
		`{"alg":"HS256","typ":"JWT"}`,
		`{"alg":"HS256","typ":"AT+JWT"}`,
		`{"alg":"HS256","typ":"application/at+jwt"}`,
		`{"alg":"HS256","typ":null}`,
		`{"alg":"HS256","typ":["at+jwt"]}`,
		`{"alg":"HS256","typ":"at+jwt","jku":"http://127.0.0.1:1/keys"}`,
		`{"alg":"HS256","typ":"at+jwt","x5u":"http://127.0.0.1:1/cert"}`,
		`{"alg":"HS256","typ":"at+jwt","jwk":{"kty":"oct","k":"AAAA"}}`,
		`{"alg":"HS256","typ":"at+jwt","x5c":["MIIB"]}`,
		`{"alg":"HS256","typ":"at+jwt","x5t":"AAAA"}`,
		`{"alg":"HS256","typ":"at+jwt","crit":["exp"]}`,
		`{"alg":"HS256","typ":"at+jwt","crit":["x"]}`,
		`{"alg":"HS256","typ":"at+jwt","crit":[]}`,
		`{"alg":"HS256","typ":"at+jwt","b64":false}`,
		`{"alg":"HS256","typ":"at+jwt","zip":"DEF"}`,
		`{"alg":"HS256","typ":"at+jwt","cty":"JWT"}`,
		`{"alg":"HS256","typ":"at+jwt","x":1}`,
		`{"alg":"HS256","typ":"at+jwt","":""}`,
		`{"alg":"HS256","typ":"at+jwt","kid":1}`,
		`{"alg":"HS256","typ":"at+jwt","kid":"2026"}`,
		`{"alg":"HS256","typ":"at+jwt","kid":null}`,
		`{"alg":"HS256","alg":"HS256","typ":"at+jwt"}`,
		`{"alg":"none","typ":"at+jwt","alg":"HS256"}`,
		`{"alg":"HS256","typ":"at+jwt","\u0061lg":"HS256"}`,
		`{"alg":"HS256","typ":"at+jwt"}{}`,
		`{"alg":"HS256","typ":"at+jwt",}`,
		`["HS256","at+jwt"]`,
		`"HS256"`,
		`null`,
		`{`,
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"\xff\"}",
		"\ufeff" + goodHeader,
	} {
		_, err := b.Verify(forged(header, b.claims(), testSecret))
		assertRefused(t, header, err)
	}
}

func TestClaimsAreRefused(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	now := b.clock.Now().Unix()
	at := func(offset int64) string { return strconv.FormatInt(now+offset, 10) }
	for _, changes := range [][]string{
		{"exp", ""},
		{"exp", "0"},
		{"exp", "null"},
		{"exp", `"` + at(900) + `"`},
		{"exp", "[" + at(900) + "]"},
		{"exp", "1e400"},
		{"exp", "4e9"},
		{"exp", at(900) + ".5"},
		{"exp", "-" + at(900)},
		{"exp", "253402300800"},
		{"exp", "99999999999999999999"},
		{"exp", "true"},
		{"exp", "", "Exp", at(900)},
		{"iat", at(-900), "exp", at(-30)},
		{"iat", at(-900), "exp", at(-31)},
		{"iat", ""},
		{"iat", "null"},
		{"iat", "1e9"},
		{"iat", at(31)},
		{"iat", at(20), "exp", at(20)},
		{"nbf", at(31)},
		{"nbf", "1e300"},
		{"nbf", "null"},
		{"nbf", `"0"`},
		{"nbf", "-1"},
		{"iss", ""},
		{"iss", `"Readout"`},
		{"iss", `"readout "`},
		{"iss", `["readout"]`},
		{"iss", "null"},
		{"aud", ""},
		{"aud", "[]"},
		{"aud", `"other"`},
		{"aud", `{"readout":true}`},
		{"aud", `[["readout"]]`},
		{"aud", `["readout"]`},
		{"aud", `["readout","other"]`},
		{"aud", `"Readout"`},
		{"aud", `"readout "`},
		{"aud", `"readout\u0000"`},
		{"aud", "null"},
		{"sub", ""},
		{"sub", "7"},
		{"sub", `""`},
		{"sub", `"0"`},
		{"sub", `"-7"`},
		{"sub", `"+7"`},
		{"sub", `"07"`},
		{"sub", `" 7"`},
		{"sub", `"7.0"`},
		{"sub", `"٧"`},
		{"sub", `"ann"`},
		{"sub", `"9223372036854775808"`},
		{"sub", "null"},
		{"jti", ""},
		{"jti", `""`},
		{"jti", "1"},
		{"jti", `"` + strings.Repeat("x", 65) + `"`},
	} {
		_, err := b.Verify(forged(goodHeader, b.claims(changes...), testSecret))
		assertRefused(t, strings.Join(changes, "="), err)
	}
	good := b.claims()
	for _, claims := range []string{
		"", "{}", "[]", "null", `"x"`, good + good, good + "x", "x" + good, good[:len(good)-1],
		strings.Replace(good, "{", `{"sub":"8",`, 1),
		strings.Replace(good, "{", `{"\u0073ub":"8",`, 1),
		strings.Replace(good, "{", `{"role":1,"role":2,`, 1),
		strings.Replace(good, `"id"`, "\"\xff\"", 1),
		strings.Repeat("[", 2000) + strings.Repeat("]", 2000),
	} {
		_, err := b.Verify(forged(goodHeader, claims, testSecret))
		assertRefused(t, claims, err)
	}
}

func TestTokensExpireAfterTheLeeway(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	token := b.issue(t)
	b.clock.advance(15*time.Minute + 30*time.Second - 1)
	if _, err := b.Verify(token); err != nil {
		t.Errorf("in the last instant of the leeway: %v", err)
	}
	b.clock.advance(1)
	_, err := b.Verify(token)
	assertRefused(t, "at the end of the leeway", err)
}

func TestTokensWithoutLeewayExpireOnTime(t *testing.T) {
	t.Parallel()
	now := newClock()
	tokens, err := NewTokens(TokenConfig{Secret: testSecret, TTL: time.Minute, Now: now.Now})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := tokens.Issue(7)
	if err != nil {
		t.Fatal(err)
	}
	now.advance(time.Minute - 1)
	if _, err := tokens.Verify(token); err != nil {
		t.Errorf("in its last instant: %v", err)
	}
	now.advance(1)
	_, err = tokens.Verify(token)
	assertRefused(t, "at exp", err)
}

func TestTokensOfAnotherSecretIssuerOrAudienceAreRefused(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	for name, c := range map[string]TokenConfig{
		"another secret":   {Secret: otherSecret},
		"another issuer":   {Secret: testSecret, Issuer: "elsewhere"},
		"another audience": {Secret: testSecret, Audience: "elsewhere"},
	} {
		c.Now = b.clock.Now
		others, err := NewTokens(c)
		if err != nil {
			t.Fatal(err)
		}
		token, _, err := others.Issue(7)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Verify(token)
		assertRefused(t, name, err)
	}
}

func TestSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	token, other := b.issue(t), b.issue(t)
	dot := strings.LastIndexByte(token, '.')
	body, signature := token[:dot+1], token[dot+1:]
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(raw) * 8 {
		flipped := append([]byte(nil), raw...)
		flipped[bit/8] ^= 1 << (bit % 8)
		_, err := b.Verify(body + base64.RawURLEncoding.EncodeToString(flipped))
		assertRefused(t, fmt.Sprintf("bit %d flipped", bit), err)
	}
	for n := range len(raw) {
		_, err := b.Verify(body + base64.RawURLEncoding.EncodeToString(raw[:n]))
		assertRefused(t, fmt.Sprintf("cut to %d bytes", n), err)
	}
	for name, spliced := range map[string]string{
		"all zero":               body + base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
		"of another token":       body + other[strings.LastIndexByte(other, '.')+1:],
		"with a byte more":       body + base64.RawURLEncoding.EncodeToString(append(raw, 0)),
		"loose bits in the text": body + signature[:len(signature)-1] + nextLetter(signature[len(signature)-1]),
	} {
		_, err := b.Verify(spliced)
		assertRefused(t, "signature "+name, err)
	}
}

// nextLetter returns another last character of base64url that decodes, unless strictly, to the same bytes.
func nextLetter(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)+1:][:1]
}

func TestTextsAroundATokenAreRefused(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	token := b.issue(t)
	parts := strings.Split(token, ".")
	for name, text := range map[string]string{
		"empty":                    "",
		"dots":                     "..",
		"leading space":            " " + token,
		"trailing space":           token + " ",
		"trailing line break":      token + "\n",
		"line break inside":        parts[0] + "." + parts[1][:9] + "\r\n" + parts[1][9:] + "." + parts[2],
		"Bearer":                   "Bearer " + token,
		"quotes":                   `"` + token + `"`,
		"%2E":                      strings.ReplaceAll(token, ".", "%2E"),
		"padding":                  token + "=",
		"padding in the claims":    parts[0] + "." + parts[1] + "==." + parts[2],
		"two tokens":               token + "," + token,
		"a fourth part":            token + ".AAAA",
		"five parts, as encrypted": "a.b.c.d.e",
		"trailing dot":             token + ".",
		"the parts reversed":       parts[2] + "." + parts[1] + "." + parts[0],
		"NUL":                      token + "\x00",
		"non-ASCII":                token + "é",
		"a key":                    GenerateKey(ProjectKey).Secret,
	} {
		_, err := b.Verify(text)
		assertRefused(t, name, err)
	}
	// A claim of "???>>>" gives base64 with + and /, which base64url writes - and _.
	odd := forged(goodHeader, b.claims("x", `"???>>>~~~"`), testSecret)
	if _, err := b.Verify(odd); err != nil || !strings.ContainsAny(strings.Split(odd, ".")[1], "-_") {
		t.Fatalf("the token for the alphabet's case is not right: %v", err)
	}
	_, err := b.Verify(strings.NewReplacer("-", "+", "_", "/").Replace(odd))
	assertRefused(t, "base64 in place of base64url", err)
}

func TestTokensLongerThan4KiBAreRefused(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	fits := forged(goodHeader, b.claims("x", `"`+strings.Repeat("x", 2800)+`"`), testSecret)
	if _, err := b.Verify(fits); err != nil || len(fits) > maxToken {
		t.Errorf("a token of %d bytes: %v", len(fits), err)
	}
	long := forged(goodHeader, b.claims("x", `"`+strings.Repeat("x", 2950)+`"`), testSecret)
	_, err := b.Verify(long)
	assertRefused(t, fmt.Sprintf("a token of %d bytes", len(long)), err)
	_, err = b.Verify(strings.Repeat("a", 10<<20))
	assertRefused(t, "10 MB", err)
}

func TestTokenRefusalsDoNotShowTheToken(t *testing.T) {
	t.Parallel()
	b := setupTokens(t)
	for _, token := range []string{
		forged(goodHeader, b.claims("aud", `"hush"`), testSecret), forged(`{"alg":"hush"}`, b.claims(), testSecret),
		forged(goodHeader, `{"hush"`, testSecret), forged(goodHeader, `{"hush":1,"hush":2}`, testSecret), "hush!",
	} {
		_, err := b.Verify(token)
		assertRefused(t, token, err)
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("the error shows the token: %v", err)
		}
	}
}

func TestTokenConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config TokenConfig
		want   string // "" for no error
	}{
		{TokenConfig{Secret: testSecret}, ""},
		{TokenConfig{Secret: testSecret, TTL: 24 * time.Hour, Leeway: 30 * time.Second}, ""},
		{TokenConfig{}, "token secret"},
		{TokenConfig{Secret: testSecret, TTL: -1}, "token TTL"},
		{TokenConfig{Secret: testSecret, TTL: time.Millisecond}, "token TTL"},
		{TokenConfig{Secret: testSecret, TTL: 1500 * time.Millisecond}, "token TTL"},
		{TokenConfig{Secret: testSecret, TTL: 25 * time.Hour}, "token TTL"},
		{TokenConfig{Secret: testSecret, Leeway: 31 * time.Second}, "token leeway"},
		{TokenConfig{Secret: testSecret, Leeway: -1}, "token leeway"},
	} {
		_, err := NewTokens(c.config)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("NewTokens: %v, want %q", err, c.want)
		}
	}
}

func TestCheckSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ secret, want string }{
		{string(testSecret), ""},
		{"3f9c1e7a5b8d2046e1f7c93a5d8b6024", ""},
		{"", "at least 32 bytes, has 0"},
		{"q8Zt0VxN4cJr7Wm2Yb5Hf9Ks1Gd6Lp3", "at least 32 bytes, has 31"},
		{strings.Repeat("x", 64), "all one character"},
		{strings.Repeat("\x00", 32), "all one character"},
		{"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb", "fewer than 8"},
		{"0123456789abcdef0123456789abcdef", "repeats itself"},
		{"12345678901234567890123456789012", "repeats itself"},
		{"a-string-secret-at-least-256-bits-long", "documented sample"},
		{"Change-Me-Change-This-Before-You-Run-It", "documented sample"},
		{"your-256-bit-secret-goes-in-this-place", "documented sample"},
		{"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", "documented sample"},
	} {
		err := CheckSecret([]byte(c.secret))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("CheckSecret(%q) = %v, want %q", c.secret, err, c.want)
		}
		if err != nil && c.secret != "" && strings.Contains(err.Error(), c.secret) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

func TestTokensDoNotPrintTheirSecret(t *testing.T) {
	t.Parallel()
	c := TokenConfig{Secret: testSecret}
	tokens, err := NewTokens(c)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %x %v %+v %#v %s %x", c, c, c, c, c, tokens, tokens, tokens, tokens, tokens)
	document, _ := json.Marshal(struct{ Secret TokenConfig }{c})
	for _, text := range []string{string(testSecret), fmt.Sprintf("%x", testSecret), fmt.Sprint(testSecret)} {
		if strings.Contains(printed+string(document), text) {
			t.Errorf("the secret shows in %s %s", printed, document)
		}
	}
}

func TestTokensKeepTheirOwnCopyOfTheSecret(t *testing.T) {
	t.Parallel()
	secret := append([]byte(nil), testSecret...)
	tokens, err := NewTokens(TokenConfig{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := tokens.Issue(7)
	if err != nil {
		t.Fatal(err)
	}
	clear(secret)
	if _, err := tokens.Verify(token); err != nil {
		t.Errorf("Verify after the caller cleared its secret: %v", err)
	}
}

// FuzzVerify knows no secret, so that whatever is accepted must be one of the tokens that were made with it. They are the
// same in every process of the fuzzer.
func FuzzVerify(f *testing.F) {
	b := setupTokens(f)
	made := map[string]bool{}
	for _, id := range []string{`"a"`, `"b"`, `"c"`} {
		token := forged(goodHeader, b.claims("jti", id), testSecret)
		made[token] = true
		f.Add(token)
	}
	f.Add(forged(`{"alg":"none","typ":"at+jwt"}`, b.claims(), nil))
	f.Add(forged(goodHeader, b.claims(), otherSecret))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		_, err := b.Verify(token)
		if err == nil && !made[token] {
			t.Errorf("accepted %q, which was not made with the secret", token)
		}
		if err != nil && !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("refused with %v", err)
		}
	})
}

// FuzzForgedToken knows the secret: what is signed rightly is accepted only if encoding/json finds the same in it.
func FuzzForgedToken(f *testing.F) {
	b := setupTokens(f)
	f.Add(goodHeader, b.claims())
	f.Add(`{"alg":"HS256","typ":"at+jwt","kid":"x"}`, b.claims("nbf", "1"))
	f.Add(`{"alg":"HS256","alg":"none"}`, `{"sub":"7","sub":"8"}`)
	f.Fuzz(func(t *testing.T, header, claims string) {
		got, err := b.Verify(forged(header, claims, testSecret))
		if err != nil {
			return
		}
		var members map[string]any
		d := json.NewDecoder(strings.NewReader(claims))
		d.UseNumber() // a further claim may be beyond float64
		if err := d.Decode(&members); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{
			"iss": "readout", "aud": "readout", "sub": strconv.FormatInt(got.User, 10), "jti": got.ID,
			"exp": json.Number(strconv.FormatInt(got.Expires.Unix(), 10)),
		} {
			if members[name] != want {
				t.Errorf("the claims %s are read as %+v", claims, got)
			}
		}
	})
}

func BenchmarkTokens(b *testing.B) {
	tokens := setupTokens(b)
	token := tokens.issue(b)
	foreign := forged(`{"typ":"at+jwt","alg":"HS256"}`, tokens.claims(), testSecret)
	b.Run("issue", func(b *testing.B) {
		for b.Loop() {
			_, _, _ = tokens.Issue(7)
		}
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			_, _ = tokens.Verify(token)
		}
	})
	b.Run("verify-foreign", func(b *testing.B) {
		for b.Loop() {
			_, _ = tokens.Verify(foreign)
		}
	})
}

// BenchmarkVerify compares, for each algorithm, a token that is seen for the first time (new) and again (known) with what
// golang-jwt takes for the same token, which checks less (plain).
func BenchmarkVerify(b *testing.B) {
	besieged := besiege(b)
	for _, target := range besieged.targets {
		if target.Foreign {
			continue
		}
		token, alg := target.Good(), target.Method.Alg()
		b.Run(alg+"/plain", func(b *testing.B) {
			key := target.Public
			if key == nil {
				key = target.Key
			}
			parser := jwt.NewParser(jwt.WithValidMethods([]string{alg}), jwt.WithIssuer("readout"), jwt.WithAudience("readout"),
				jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(besieged.clock.Now), jwt.WithStrictDecoding())
			b.ReportAllocs()
			for b.Loop() {
				var claims jwt.RegisteredClaims
				if _, err := parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(alg+"/new", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := besieged.verify(token); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(alg+"/known", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := besieged.Verify(token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
