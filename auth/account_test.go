package auth_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/internal/problem"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// desk is the account endpoints on a database of their own.
type desk struct {
	t             *testing.T
	url           string
	client        *db.Client
	tokens        *auth.Tokens
	authenticator *auth.Authenticator
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	client := store.Client(testdb.New(t))
	t.Cleanup(func() { _ = client.Close() })
	tokens, err := auth.NewTokens(auth.TokenConfig{Secret: []byte("mPz1Xw0cH8sVu4Jq7Rt2Yb5Nk9Ld3Gf6")})
	if err != nil {
		t.Fatal(err)
	}
	// Cheap hashes: what is tested here is not their cost.
	accounts, err := auth.NewAccounts(client, auth.NewPasswords(auth.PasswordConfig{MemoryKiB: 64, Passes: 1, Waiting: 100}), tokens)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/register", problem.Handler(slog.New(slog.DiscardHandler), accounts.ServeRegister))
	mux.Handle("/auth/login", problem.Handler(slog.New(slog.DiscardHandler), accounts.ServeLogin))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return &desk{t, srv.URL, client, tokens, auth.NewAuthenticator(client, tokens)}
}

// answer is what an endpoint said.
type answer struct {
	Status      int `json:"-"`
	Code        string
	AccessToken string
	Email       string
	retry       string
}

func (d *desk) post(path, body string) (a answer) {
	d.t.Helper()
	resp, err := http.Post(d.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		d.t.Error(err)
		return a
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		d.t.Error(err)
	}
	a.Status, a.retry = resp.StatusCode, resp.Header.Get("Retry-After")
	return a
}

func credentials(email, password string) string {
	b, _ := json.Marshal(map[string]string{"email": email, "password": password})
	return string(b)
}

const goodPassword = "correct horse 42 staple"

func TestRegisteredPersonLogsIn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if a := d.post("/auth/register", credentials("Ada@Example.org", goodPassword)); a.Status != 201 || a.Email != "ada@example.org" {
		t.Fatalf("got %+v", a)
	}
	a := d.post("/auth/login", credentials("ADA@example.org", goodPassword))
	if a.Status != 200 {
		t.Fatalf("got %+v", a)
	}
	p, err := d.authenticator.Authenticate(t.Context(), a.AccessToken)
	if err != nil || p.Kind != auth.User || p.User == 0 || time.Until(p.Expires) > 15*time.Minute {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestAccountsRefuseWhatTheyShould(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.post("/auth/register", credentials("ada@example.org", goodPassword))
	for name, c := range map[string]struct {
		path, body string
		status     int
		code       string
	}{
		"taken":             {"/auth/register", credentials("ada@example.org", goodPassword), 409, "conflict"},
		"taken, other case": {"/auth/register", credentials("ADA@example.org", goodPassword), 409, "conflict"},
		"short password":    {"/auth/register", credentials("b@example.org", "short"), 422, "invalid"},
		"no address":        {"/auth/register", credentials("nonsense", goodPassword), 422, "invalid"},
		"named address":     {"/auth/register", credentials("B <b@example.org>", goodPassword), 422, "invalid"},
		"address with NUL":  {"/auth/register", credentials("b\x00@example.org", goodPassword), 422, "invalid"},
		"unknown field":     {"/auth/register", `{"email": "b@example.org", "password": "` + goodPassword + `", "role": "admin"}`, 400, "unknown_field"},
		"other case":        {"/auth/login", `{"EMAIL": "a", "password": "b"}`, 400, "unknown_field"},
		"twice":             {"/auth/login", `{"email": "a", "password": "b", "password": "c"}`, 400, "duplicate_field"},
		"no text":           {"/auth/login", `{"email": "a", "password": 1}`, 422, "value_type"},
		"null":              {"/auth/login", `{"email": "a", "password": null}`, 422, "value_type"},
		"nested":            {"/auth/login", `{"email": "a", "password": {"a": 1}}`, 422, "value_type"},
		"missing":           {"/auth/login", `{"email": "a"}`, 422, "missing_field"},
		"half a character":  {"/auth/login", `{"email": "a", "password": "\ud800"}`, 422, "text_invalid"},
		"an array":          {"/auth/login", `["email"]`, 422, "value_type"},
		"empty body":        {"/auth/login", "", 400, "empty_body"},
		"two objects":       {"/auth/login", credentials("a", "b") + credentials("a", "b"), 400, "malformed_json"},
		"not JSON":          {"/auth/login", "email=a", 400, "malformed_json"},
		"not UTF-8":         {"/auth/login", "{\"email\": \"a\", \"password\": \"\xff\"}", 422, "text_invalid"},
		"long body":         {"/auth/login", credentials("a", strings.Repeat("x", 5000)), 413, "too_large"},
		"wrong password":    {"/auth/login", credentials("ada@example.org", goodPassword+"x"), 401, "unauthenticated"},
		"no address at all": {"/auth/login", credentials("a\x00@example.org", goodPassword), 401, "unauthenticated"},
		"unknown account":   {"/auth/login", credentials("eve@example.org", goodPassword), 401, "unauthenticated"},
	} {
		if a := d.post(c.path, c.body); a.Status != c.status || a.Code != c.code {
			t.Errorf("%s: got %d %s, want %d %s", name, a.Status, a.Code, c.status, c.code)
		}
	}
}

func TestOneAddressIsRegisteredOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var mu sync.Mutex
	got := map[int]int{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			a := d.post("/auth/register", credentials("ada@example.org", goodPassword))
			mu.Lock()
			defer mu.Unlock()
			got[a.Status]++
		})
	}
	all.Wait()
	if got[201] != 1 || got[409] != 19 {
		t.Errorf("got %v, want one 201 and nineteen 409", got)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var last answer
	for range 12 {
		last = d.post("/auth/login", credentials("ada@example.org", "wrong"))
	}
	if last.Status != 429 || last.retry == "" {
		t.Errorf("the twelfth guess: got %+v, want 429 with Retry-After", last)
	}
}

func TestKeysAreFoundByTheirHash(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := auth.NewContext(t.Context(), auth.System())
	project := d.client.Project.Create().SetName("p").SaveX(ctx)
	device := d.client.Device.Create().SetProject(project).SetName("boiler").SaveX(ctx)
	expired := time.Now().Add(-time.Second)
	for name, c := range map[string]struct {
		spec auth.KeySpec
		want auth.Principal
		ok   bool
	}{
		"project": {auth.KeySpec{Scopes: auth.Ingest}, auth.Principal{Kind: auth.ProjectKey, Scopes: auth.Ingest}, true},
		"device":  {auth.KeySpec{Device: &device.ID, Scopes: auth.Ingest | auth.Read}, auth.Principal{Kind: auth.DeviceKey, Device: device.ID, DeviceName: "boiler", Scopes: auth.Ingest | auth.Read}, true},
		"expired": {auth.KeySpec{Scopes: auth.Ingest, Expires: &expired}, auth.Principal{}, false},
	} {
		c.spec.Project = project.ID
		k, secret, err := auth.CreateKey(ctx, d.client, c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(k.Hash, []byte(secret)) {
			t.Error("the secret is stored")
		}
		p, err := d.authenticator.Authenticate(t.Context(), secret)
		if !c.ok {
			if err == nil {
				t.Errorf("%s: got %+v, want a refusal", name, p)
			}
			continue
		}
		c.want.Project, c.want.Key = project.ID, k.ID
		if err != nil || *p != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, p, err, c.want)
		}
	}
	never := auth.GenerateKey(auth.ProjectKey)
	if _, err := d.authenticator.Authenticate(t.Context(), never.Secret); err == nil {
		t.Error("a key that was never made is taken")
	}
}

func TestCredentialIsOneBearerHeader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers []string
		want    string
		ok      bool
	}{
		"none":         {nil, "", true},
		"bearer":       {[]string{"Bearer x"}, "x", true},
		"lower case":   {[]string{"bearer x"}, "x", true},
		"basic":        {[]string{"Basic x"}, "", false},
		"empty bearer": {[]string{"Bearer "}, "", false},
		"bare":         {[]string{"x"}, "", false},
		"two":          {[]string{"Bearer x", "Bearer y"}, "", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = c.headers
		if got, err := auth.Credential(r); got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
