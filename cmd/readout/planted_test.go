package main_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/gorilla/websocket"
	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/testdb"
)

// guarded is a relay that wants a password, until it is shut: then it takes none.
type guarded struct {
	delivery
	password string
	shut     *atomic.Bool
}

func (guarded) AuthMechanisms() []string { return []string{sasl.Plain} }

func (g guarded) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, password string) error {
		if password != g.password || g.shut.Load() {
			return errors.New("wrong password")
		}
		return nil
	}), nil
}

func newGuarded(t *testing.T, password string) (*relay, *atomic.Bool) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r, shut := &relay{url: "smtp://readout:" + password + "@" + listener.Addr().String(), mail: make(chan string, 10)}, new(atomic.Bool)
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return guarded{delivery{r}, password, shut}, nil }))
	s.Domain, s.AllowInsecureAuth = "relay.test", true
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(listener) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return r, shut
}

// garden is a server into which secrets are planted: those that it has, and wrong ones that it is sent.
type garden struct {
	*program
	t        *testing.T
	database string
	secrets  map[string]string
	requests int
}

// seek fails the test if a secret is in a text, as it is or encoded.
func (g *garden) seek(where, text string) {
	g.t.Helper()
	for name, secret := range g.secrets {
		for form, s := range map[string]string{
			"": secret, " in hex": hex.EncodeToString([]byte(secret)), " in base64": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
			" in a URL": url.QueryEscape(secret),
		} {
			if at := strings.Index(text, s); at >= 0 {
				g.t.Errorf("%s%s is in %s: …%s…", name, form, where, text[max(0, at-120):min(len(text), at+len(s)+60)])
				break
			}
		}
	}
}

// send sends a request from an address of its own, and seeks in the answer.
func (g *garden) send(method, path, body string, header http.Header) {
	g.t.Helper()
	g.requests++
	if header == nil {
		header = http.Header{}
	}
	header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", 100+g.requests/250, g.requests%250))
	header.Set("Content-Type", "application/json")
	resp, text := ask(g.t, method, g.url+path, body, header)
	var head strings.Builder
	_ = resp.Header.Write(&head)
	g.seek(fmt.Sprintf("the answer %d to %s %s", resp.StatusCode, method, strings.Split(path, "?")[0]), head.String()+text)
}

// connect opens a socket with a credential and seeks in all that comes until it is closed.
func (g *garden) connect(credential string) {
	g.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.DialContext(g.t.Context(), "ws"+strings.TrimPrefix(g.url, "http")+"/graphql?token="+url.QueryEscape(credential), nil)
	if err != nil {
		g.t.Fatal(err)
	}
	_ = resp.Body.Close()
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for _, m := range []any{
		map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer " + credential}},
		map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": `{ node(id: "` + credential + `") { id } }`}},
		map[string]any{"type": "nonsense", "payload": credential},
	} {
		_ = conn.WriteJSON(m)
	}
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			g.seek("a socket's end", err.Error())
			return
		}
		g.seek("a message of a socket", string(text))
	}
}

// misuse sends a secret wherever somebody may put one by mistake; admin is a right token.
func (g *garden) misuse(secret, admin string) {
	g.t.Helper()
	quoted, escaped := string(must(json.Marshal(secret))), url.QueryEscape(secret)
	right := func() http.Header { return http.Header{"Authorization": {"Bearer " + admin}} }
	for _, h := range []http.Header{
		{"Authorization": {"Bearer " + secret}},
		{"Authorization": {"Bearer " + secret + "x"}},
		{"Authorization": {"Basic " + secret}},
		{"Authorization": {secret}},
		{"Authorization": {"Bearer " + secret, "Bearer " + secret}},
		{"Cookie": {auth.AccessCookie + "=" + secret + "; " + auth.RefreshCookie + "=" + secret}, "Origin": {"https://evil.example.com"}},
		{"Cookie": {auth.AccessCookie + "=" + secret}},
	} {
		for path, body := range map[string]string{
			"/graphql?access_token=" + escaped: `{"query": "{ __typename }"}`, "/v1/readings?key=" + escaped: `{"device": "d", "values": {"m": 1}}`,
			"/auth/sessions?token=" + escaped: `{}`, "/metrics?token=" + escaped: "",
		} {
			g.send(http.MethodPost, path, body, h.Clone())
			g.send(http.MethodGet, path, "", h.Clone())
		}
	}
	for _, body := range []string{
		`{"query": "{ node(id: ` + strings.ReplaceAll(quoted, `"`, `\"`) + `) { id } }"}`,
		`{"query": "{ node(id: ` + strings.ReplaceAll(quoted, `"`, `\"`) + `"}`,
		`{"query": "query ($id: ID!) { node(id: $id) { id } }", "variables": {"id": ` + quoted + `}}`,
		`{"query": "query ($id: ID!) { node(id: $id) { id } }", "variables": {"id": {"secret": ` + quoted + `}}}`,
		`{"query": "query ($n: Int) { projects(first: $n) { totalCount } }", "variables": {"n": ` + quoted + `}}`,
		`{"query": 1, "variables": ` + quoted + `}`, `{"query": ` + quoted[:len(quoted)-1],
	} {
		g.send(http.MethodPost, "/graphql", body, right())
	}
	for _, path := range []string{"/auth/login", "/auth/register", "/auth/verify", "/auth/refresh", "/auth/password/reset", "/auth/password", "/auth/email", "/v1/readings"} {
		for _, body := range []string{
			`{"email": "ada@example.org", "password": ` + quoted + `}`, `{"email": ` + quoted + `, "password": "correct horse 42 staple"}`,
			`{"token": ` + quoted + `, "password": "short"}`, `{"refreshToken": ` + quoted + `x}`, `{"password": {"is": ` + quoted + `}}`,
			`{"device": ` + quoted + `, "values": {"m": ` + quoted + `}}`, quoted, quoted[:len(quoted)-1],
		} {
			g.send(http.MethodPost, path, body, nil)
			g.send(http.MethodPost, path, body, right())
		}
	}
	g.connect(secret)
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// dump is every row of every table, as text.
func (g *garden) dump() string {
	g.t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, g.database)
	if err != nil {
		g.t.Fatal(err)
	}
	defer conn.Close(ctx)
	lines := func(query string) []string {
		rows, err := conn.Query(ctx, query)
		if err != nil {
			g.t.Fatal(err)
		}
		all, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			g.t.Fatal(err)
		}
		return all
	}
	var b strings.Builder
	for _, table := range lines(`select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`) {
		for _, row := range lines(`select t::text from ` + table + ` t`) {
			b.WriteString(table + " " + row + "\n")
		}
	}
	return b.String()
}

func TestPlantedSecretsAreFoundNowhere(t *testing.T) {
	t.Parallel()
	g := &garden{t: t, database: testdb.URL(t), secrets: map[string]string{
		"the secret of tokens": "pl4ntedJWTsecret8vB1nXw7Rk3Ty6Lc9Jh2", "the password of SMTP": "pl4ntedSMTPhunter2x9", "the password of the database": "pl4ntedPGpassw0rd",
		"the token of metrics": "pl4ntedMETRICStoken77", "an issuer's key": "pl4ntedISSUERkey5Dm0Sa4pQz8vB1nXw7Rk3",
		"a password": "pl4nted horse 42 staple", "a wrong password": "pl4nted zebra 17 staple",
		"an unknown key": auth.GenerateKey(auth.DeviceKey).Secret, "a mistyped key": auth.GenerateKey(auth.ProjectKey).Secret + "7",
		"a forged token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJyZWFkb3V0In0.cGw0bnRlZA",
	}}
	relay, shut := newGuarded(t, g.secrets["the password of SMTP"])
	database := g.database + "&password=" + g.secrets["the password of the database"]
	if !strings.Contains(g.database, "?") {
		database = strings.Replace(database, "&", "?", 1)
	}
	g.program = serve(t, "127.0.0.1:0", dataDir(t), "READOUT_LOG_LEVEL=debug", "READOUT_TRUSTED_PROXIES=127.0.0.1", "READOUT_VERIFICATION=on",
		"READOUT_DATABASE_URL="+database, "READOUT_JWT_SECRET="+g.secrets["the secret of tokens"], "READOUT_METRICS_TOKEN="+g.secrets["the token of metrics"],
		"READOUT_SMTP_URL="+relay.url, "READOUT_MAIL_FROM=readout@example.net", "READOUT_PUBLIC_URL=https://readout.example.net",
		`READOUT_JWT_ISSUERS={"issuer": "plant", "audience": "readout", "type": "HS256", "key": "`+g.secrets["an issuer's key"]+`"}`)

	person := map[string]string{"email": "ada@example.org", "password": g.secrets["a password"]}
	if status, text := post(t, g.url+"/auth/register", "", person, nil); status != http.StatusAccepted {
		t.Fatalf("register: %d %s", status, text)
	}
	_, _, g.secrets["the token of a letter"] = relay.link(t, "ada@example.org")
	if status, text := post(t, g.url+"/auth/verify", "", map[string]string{"token": g.secrets["the token of a letter"], "password": person["password"]}, nil); status != http.StatusNoContent {
		t.Fatalf("verify: %d %s", status, text)
	}
	var in struct{ AccessToken, RefreshToken string }
	if status, text := post(t, g.url+"/auth/login", "", person, &in); status != http.StatusOK || in.RefreshToken == "" {
		t.Fatalf("log in: %d %s", status, text)
	}
	g.secrets["an access token"], g.secrets["a refresh token"] = in.AccessToken, in.RefreshToken
	var project struct {
		Data struct{ CreateProject struct{ ID string } }
	}
	post(t, g.url+"/graphql", in.AccessToken, map[string]string{"query": `mutation { createProject(input: {name: "P"}) { id } }`}, &project)
	var key struct {
		Data struct{ CreateKey struct{ Secret string } }
	}
	_, text := post(t, g.url+"/graphql", in.AccessToken, map[string]string{"query": `mutation { createKey(input: {projectID: "` + project.Data.CreateProject.ID + `"}) { secret } }`}, &key)
	if key.Data.CreateKey.Secret == "" {
		t.Fatalf("make a key: %s", text)
	}
	g.secrets["a key"] = key.Data.CreateKey.Secret

	shut.Store(true) // a letter that cannot be sent leaves its error with the job
	if status, text := post(t, g.url+"/auth/password/forgot", "", map[string]string{"email": "ada@example.org"}, nil); status != http.StatusAccepted {
		t.Fatalf("forgot: %d %s", status, text)
	}
	for _, secret := range g.secrets {
		g.misuse(secret, in.AccessToken)
	}
	if status, text := post(t, g.url+"/graphql", in.AccessToken, map[string]string{"query": "{ me { id } }"}, nil); status != http.StatusOK {
		t.Errorf("the right token was refused in the end, so it was not everywhere: %d %s", status, text)
	}
	for until := time.Now().Add(20 * time.Second); !strings.Contains(g.dump(), "wrong password") && !strings.Contains(g.dump(), "535"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("no job has failed to log in at the relay")
		}
	}
	resp, metrics := ask(t, http.MethodGet, g.url+"/metrics", "", http.Header{"Authorization": {"Bearer " + g.secrets["the token of metrics"]}})
	if resp.StatusCode != http.StatusOK {
		t.Errorf("metrics: got %d", resp.StatusCode)
	}
	g.seek("the metrics", metrics)
	g.seek("a dump", g.dump())
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	log := g.output()
	if strings.Count(log, `"msg":"request"`) < g.requests {
		t.Errorf("the log has %d requests of %d", strings.Count(log, `"msg":"request"`), g.requests)
	}
	g.seek("the log", log)
	t.Logf("%d secrets in %d requests; %d bytes of logs", len(g.secrets), g.requests, len(log))
}
