package main_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/internal/forge"
)

// fortress is a server that trusts eight keys: four of its own and four of foreign issuers, one of each algorithm.
type fortress struct {
	*program
	targets       []forge.Target
	asked, issuer *atomic.Int64 // requests to where tokens lead, and to where the configuration does
}

// signingKeys returns a new key of each algorithm, and both parts of them as JWK sets; their names begin with prefix.
func signingKeys(t *testing.T, prefix string) (keys []forge.Target, private, public string) {
	t.Helper()
	r, rerr := rsa.GenerateKey(rand.Reader, 2048)
	e, eerr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p, d, derr := ed25519.GenerateKey(rand.Reader)
	if rerr != nil || eerr != nil || derr != nil {
		t.Fatal(rerr, eerr, derr)
	}
	keys = []forge.Target{
		{Method: jwt.SigningMethodES256, Key: e, Public: &e.PublicKey},
		{Method: jwt.SigningMethodRS256, Key: r, Public: &r.PublicKey},
		{Method: jwt.SigningMethodEdDSA, Key: d, Public: p},
		{Method: jwt.SigningMethodHS256, Key: []byte(rand.Text() + rand.Text())},
	}
	var secret, open jose.JSONWebKeySet
	for i := range keys {
		keys[i].KID = prefix + keys[i].Method.Alg()
		k := jose.JSONWebKey{Key: keys[i].Key, KeyID: keys[i].KID, Algorithm: keys[i].Method.Alg(), Use: "sig"}
		secret.Keys = append(secret.Keys, k)
		if keys[i].Public != nil {
			open.Keys = append(open.Keys, k.Public())
		}
	}
	a, aerr := json.Marshal(secret)
	b, berr := json.Marshal(open)
	if aerr != nil || berr != nil {
		t.Fatal(aerr, berr)
	}
	return keys, string(a), string(b)
}

// answering serves a document and counts how often it is asked for.
func answering(t *testing.T, doc string) (url string, count *atomic.Int64) {
	t.Helper()
	count = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		_, _ = io.WriteString(w, doc)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, count
}

// secretFile keeps a text where its owner alone may read it.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func fortify(t *testing.T) fortress {
	t.Helper()
	own, private, _ := signingKeys(t, "own-")
	foreign, _, public := signingKeys(t, "id-")
	f := fortress{}
	trap, asked := answering(t, public)
	url, issuer := answering(t, public)
	f.asked, f.issuer = asked, issuer
	issuers := fmt.Sprintf(`[
		{"issuer": "https://id.example.org", "audience": "readout", "jwk_url": %q, "email": true},
		{"issuer": "plant", "audience": "readout", "type": "HS256", "key": %q, "email": true}
	]`, url, foreign[3].Key)
	dir := dataDir(t)
	f.program = serve(t, "127.0.0.1:0", dir, "READOUT_LIMIT_WRONG=0", "READOUT_JWT_KEYS_FILE="+secretFile(t, private), "READOUT_JWT_ISSUERS_FILE="+secretFile(t, issuers))
	id := field(t, readout(t, "user", "create", "ada@example.org", "--generate", "--data-dir", dir), "user")
	for i := range own {
		own[i].Issuer, own[i].Subject = "readout", id
		foreign[i].Issuer, foreign[i].Subject, foreign[i].Foreign = "https://id.example.org", "f00d", true
		foreign[i].Claims = []string{"email", `"Ada@example.org"`, "email_verified", "true"}
	}
	foreign[3].Issuer, foreign[3].KID = "plant", ""
	f.targets = slices.Concat(own, foreign)
	for i := range f.targets {
		f.targets[i].Audience, f.targets[i].Now, f.targets[i].Trap = "readout", time.Now(), trap
	}
	all := slices.Clone(f.targets)
	for i := range f.targets {
		f.targets[i].Others = slices.Concat(all[:i], all[i+1:])
	}
	return f
}

// sendable reports whether a token arrives by a header as it is.
func sendable(token string) bool {
	return strings.TrimRight(token, " \t") == token && !strings.ContainsFunc(token, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// knock sends a token to a door of HTTP and returns the status and the answer.
func (f fortress) knock(method, path, body, token string) (int, string, error) {
	req, err := http.NewRequest(method, f.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer), err
}

// socket opens a WebSocket with a token and reports whether it was let in.
func (f fortress) socket(token string) (bool, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.Dial(strings.Replace(f.url, "http", "ws", 1)+"/graphql", nil)
	if err != nil {
		return false, err
	}
	_ = resp.Body.Close()
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if err := conn.WriteJSON(map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer " + token}}); err != nil {
		return false, err
	}
	_, answer, err := conn.ReadMessage()
	if websocket.IsCloseError(err, 4400, 4401, 4403, 1009) {
		return false, nil
	}
	return err == nil && bytes.Contains(answer, []byte("connection_ack")), err
}

// try sends a token to every door and returns a complaint for each that did not do as wanted.
func (f fortress) try(token forge.Token, taken bool) (complaints []string) {
	complain := func(door string, said any) {
		complaints = append(complaints, fmt.Sprintf("%s by %s: %v", token.Name, door, said))
	}
	if sendable(token.Text) {
		status, answer, err := f.knock(http.MethodPost, "/graphql", `{"query":"{ me { email } }"}`, token.Text)
		if in := status == http.StatusOK && strings.Contains(answer, "ada@example.org"); err != nil || in != taken || !in && status != http.StatusUnauthorized {
			complain("GraphQL", fmt.Sprint(status, answer, err))
		}
		// Who is let in hears that there is no project.
		status, answer, err = f.knock(http.MethodGet, "/v1/export", "", token.Text)
		if in := status == http.StatusNotFound; err != nil || in != taken || !in && status != http.StatusUnauthorized {
			complain("REST", fmt.Sprint(status, answer, err))
		}
	}
	if in, err := f.socket(token.Text); err != nil || in != taken {
		complain("WebSocket", fmt.Sprint(in, err))
	}
	return complaints
}

// Whatever is forged is refused by every door of the real program, and leads it nowhere; whatever is right is let in.
func TestForgedTokensFindNoDoor(t *testing.T) {
	t.Parallel()
	f := fortify(t)
	type attempt struct {
		target string
		token  forge.Token
		taken  bool
	}
	attempts := make(chan attempt)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for a := range attempts {
				for _, c := range f.try(a.token, a.taken) {
					t.Errorf("%s: %s", a.target, c)
				}
			}
		})
	}
	var refused, taken int
	for _, target := range f.targets {
		name := target.Issuer + " " + target.Method.Alg()
		for _, v := range target.Variants() {
			attempts <- attempt{name, v, true}
			taken++
		}
		for i, a := range target.Attacks() {
			if strings.HasPrefix(a.Name, "signature bit") && i%8 != 0 {
				continue // every bit is tried in package auth
			}
			attempts <- attempt{name, a, false}
			refused++
		}
	}
	close(attempts)
	workers.Wait()
	t.Logf("%d forged and %d right tokens by three doors", refused, taken)
	if f.asked.Load() != 0 || f.issuer.Load() > 3 {
		t.Errorf("%d requests to where tokens lead, want 0; %d to the issuer, want one and one a minute", f.asked.Load(), f.issuer.Load())
	}
	if status, _, _ := get(t, f.url+"/livez"); status != http.StatusOK || strings.Contains(f.output(), "panic") {
		t.Errorf("the server: %d\n%s", status, f.output())
	}
}

// Tokens of the program's own are signed with the first key, and everybody can verify them by what it publishes.
func TestOwnKeysSignAndArePublished(t *testing.T) {
	t.Parallel()
	keys, private, _ := signingKeys(t, "")
	p := serve(t, "127.0.0.1:0", dataDir(t), "READOUT_JWT_KEYS="+private)
	token := login(t, p.url, "ada@example.org", true, "correct horse 42 staple")
	status, header, doc := get(t, p.url+"/.well-known/jwks.json")
	if status != http.StatusOK || header.Get("Cache-Control") != "public, max-age=300" {
		t.Fatalf("%d %v %s", status, header, doc)
	}
	if secret := base64.RawURLEncoding.EncodeToString(keys[3].Key.([]byte)); strings.Contains(doc, secret) || strings.Contains(doc, `"d"`) {
		t.Errorf("what is published holds a secret: %s", doc)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(doc), &set); err != nil || len(set.Keys) != 3 {
		t.Fatalf("%d keys, want 3: %v", len(set.Keys), err)
	}
	parsed, err := jwt.Parse(token, func(token *jwt.Token) (any, error) { return set.Key(token.Header["kid"].(string))[0].Key, nil })
	if err != nil || parsed.Method.Alg() != "ES256" {
		t.Errorf("a token verified by others: %v, %v", parsed, err)
	}
	head, err := http.Head(p.url + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	_ = head.Body.Close()
	if head.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %s", head.Status)
	}
}

func TestWrongTokenSettingsAreRefused(t *testing.T) {
	t.Parallel()
	_, private, public := signingKeys(t, "")
	open := secretFile(t, private)
	if err := os.Chmod(open, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		variables []string
		want      string
	}{
		{[]string{"READOUT_JWT_KEYS=" + public}, "READOUT_JWT_KEYS: the first key signs"},
		{[]string{"READOUT_JWT_KEYS=x"}, "READOUT_JWT_KEYS: neither a JWK set nor PEM"},
		{[]string{"READOUT_JWT_ISSUERS=x"}, "READOUT_JWT_ISSUERS: issuer 1: not JSON"},
		{[]string{`READOUT_JWT_ISSUERS={"issuer":"a","audience":"b","jwk_url":"http://example.org"}`}, "jwk_url: keys are fetched by https"},
		{[]string{`READOUT_JWT_ISSUERS={"issuer":"readout","audience":"b","jwk_url":"https://example.org"}`}, "this is our own name"},
		{[]string{"READOUT_JWT_KEYS=" + private, "READOUT_JWT_KEYS_FILE=" + open}, "READOUT_JWT_KEYS and READOUT_JWT_KEYS_FILE: set one of them"},
		{[]string{"READOUT_JWT_KEYS_FILE=" + open}, "may be written by everybody"},
		{[]string{"READOUT_JWT_KEYS_FILE=/nonexistent"}, "READOUT_JWT_KEYS_FILE: open /nonexistent"},
		{[]string{"READOUT_JWT_SECRET_FILE=" + secretFile(t, "")}, "is empty"},
		{[]string{"READOUT_JWT_SECRET_FILE=" + secretFile(t, "short")}, "READOUT_JWT_SECRET: must have at least 32 bytes"},
		{[]string{"READOUT_ADDR_FILE=x"}, "READOUT_ADDR_FILE is not one of Readout's"},
	} {
		cmd := exec.Command(binary, "config")
		cmd.Env = environment(c.variables...)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), c.want) || strings.Contains(string(out), private) {
			t.Errorf("%v: %v\n%s\nwant %q", c.variables, err, out, c.want)
		}
	}
	cmd := exec.Command(binary, "config")
	cmd.Env = environment("READOUT_JWT_SECRET_FILE="+secretFile(t, "4pQz8vB1nXw7Rk3Ty6Lc9Jh2Gf5Dm0Sa"), "READOUT_JWT_KEYS="+private)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "4pQz8v") || strings.Contains(string(out), `"kty"`) {
		t.Errorf("right settings: %v\n%s", err, out)
	}
}
