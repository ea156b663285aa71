package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/internal/testdb"
)

// get fetches a path and returns status, header and body.
func get(t *testing.T, url string) (int, http.Header, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func TestServeUsesTheConfiguredPostgres(t *testing.T) {
	t.Parallel()
	p := serve(t, "127.0.0.1:0", "/nonexistent", "READOUT_DATABASE_URL="+testdb.URL(t), "READOUT_JWT_SECRET=4pQz8vB1nXw7Rk3Ty6Lc9Jh2Gf5Dm0Sa")
	ada := login(t, p.url, "ada@example.org", true, "correct horse 42 staple")
	byGET, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/graphql?query="+url.QueryEscape("{ me { email } }"), nil)
	byGET.Header.Set("Authorization", "Bearer "+ada)
	if answer, err := http.DefaultClient.Do(byGET); err != nil {
		t.Error(err)
	} else {
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if string(text) != `{"data":{"me":{"email":"ada@example.org"}}}` {
			t.Errorf("a query by GET: got %s", text)
		}
	}
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/livez":      {200, `"live"`},
		"/readyz":     {200, `"ready"`},
		"/metrics":    {200, "readout_ingest_readings_total 0"},
		"/playground": {200, "<html"},
		"/":           {200, "<html"},
		"/nowhere":    {404, `"not_found"`},
		"/graphql":    {401, "UNAUTHENTICATED"},
	} {
		status, header, body := get(t, p.url+path)
		if status != want.status || !strings.Contains(body, want.text) || header.Get("X-Request-Id") == "" {
			t.Errorf("%s: got %d %.300s, want %d with %s and a request id", path, status, body, want.status, want.text)
		}
	}
	status, header, _ := get(t, p.url+"/v1/readings")
	if status != http.StatusMethodNotAllowed || header.Get("Allow") != "POST" {
		t.Errorf("GET /v1/readings: got %d, Allow %q", status, header.Get("Allow"))
	}
	if err := p.stop(); err != nil {
		t.Errorf("stop: %v\n%s", err, p.output())
	}
	for line := range strings.Lines(p.output()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("the log has a line that is not JSON: %s", line)
		}
	}
}

// Who is told to stop answers what it has taken in, and tells sockets to come back.
func TestStopLosesNothing(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	p := serve(t, "127.0.0.1:0", dir)
	readout(t, "user", "create", "a@example.org", "--generate", "--data-dir", dir)
	project := field(t, readout(t, "project", "create", "P", "--owner", "a@example.org", "--data-dir", dir), "project")
	key := field(t, readout(t, "key", "create", "--project", project, "--data-dir", dir), "secret")

	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.DialContext(t.Context(), strings.Replace(p.url, "http", "ws", 1)+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	defer conn.Close()
	if err := conn.WriteJSON(map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer " + key}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.ReadMessage(); err != nil {
		t.Fatal(err)
	}

	var acknowledged atomic.Int64
	var senders sync.WaitGroup
	started := make(chan struct{}, 4)
	for c := range 4 {
		senders.Go(func() {
			for n := 0; ; n++ {
				body, _ := json.Marshal(map[string]any{"device": "d", "metric": "m", "value": c, "time": 1_700_000_000_000 + int64(c)*10_000_000 + int64(n)})
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/v1/readings", bytes.NewReader(body))
				req.Header.Set("Authorization", "Bearer "+key)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					return
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					return
				}
				acknowledged.Add(1)
				if n == 20 {
					started <- struct{}{}
				}
			}
		})
	}
	for range 4 {
		<-started
	}
	if err := p.stop(); err != nil {
		t.Errorf("stop: %v\n%s", err, p.output())
	}
	senders.Wait()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, _, err = conn.ReadMessage()
	if closed := new(websocket.CloseError); !errors.As(err, &closed) || closed.Code != websocket.CloseServiceRestart {
		t.Errorf("the socket ends with %v, want close 1012", err)
	}

	p = serve(t, "127.0.0.1:0", dir)
	stored := 0
	for after := ""; ; {
		var a struct {
			Data struct {
				Readings struct {
					Nodes    []struct{ Value float64 }
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		post(t, p.url+"/graphql", key, map[string]string{"query": `{ readings(series: {}, first: 1000` + after + `) { nodes { value } pageInfo { hasNextPage endCursor } } }`}, &a)
		stored += len(a.Data.Readings.Nodes)
		if !a.Data.Readings.PageInfo.HasNextPage {
			break
		}
		after = `, after: "` + a.Data.Readings.PageInfo.EndCursor + `"`
	}
	if n := int(acknowledged.Load()); stored < n || stored > n+4 {
		t.Errorf("acknowledged %d, stored %d: want all of them, and at most one more of each sender", n, stored)
	}
}

func TestCommandsNameTheRemedy(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	for _, c := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"serve", "--addr", "nonsense"}, 2, "--addr"},
		{[]string{"serve", "--no-such-flag"}, 2, "--no-such-flag"},
		{[]string{"serve", "--data-dir", dir}, 2, "READOUT_VERIFICATION=off"},
		{[]string{"serve", "--verification", "maybe"}, 2, "--verification"},
		{[]string{"project", "create", "P", "--owner", "nobody@example.org", "--data-dir", dir}, 4, "readout user create"},
		{[]string{"key", "create", "--project", "7", "--data-dir", dir}, 4, "readout project list"},
		{[]string{"key", "create", "--project", "7", "--scopes", "write", "--data-dir", dir}, 2, "--scopes"},
		{[]string{"key", "revoke", "7", "--data-dir", dir}, 4, "readout key list"},
		{[]string{"user", "create", "nonsense", "--generate", "--data-dir", dir}, 2, "e-mail"},
		{[]string{"user", "reset-password", "nobody@example.org", "--generate", "--data-dir", dir}, 4, "readout user list"},
	} {
		cmd := exec.Command(binary, c.args...)
		cmd.Env = environment()
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != c.exit || !strings.Contains(string(out), c.want) {
			t.Errorf("readout %s: got %v: %s; want exit %d and %q", strings.Join(c.args, " "), err, out, c.exit, c.want)
		}
	}
	if out := readout(t, "version"); !strings.HasPrefix(out, "readout ") {
		t.Errorf("version: got %s", out)
	}
	if out := readout(t, "migrate", "--status", "--data-dir", dir); !strings.Contains(out, "0001_init.sql") {
		t.Errorf("migrate --status: got %s", out)
	}
}
