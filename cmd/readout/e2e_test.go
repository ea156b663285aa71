package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// binary is the real program, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "readout-e2e-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "readout")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// dataDir is a folder that the database's user can enter, which a test's own folder is not.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "readout-e2e-data-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// environment is ours without Readout's variables.
func environment(extra ...string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "READOUT_") {
			env = append(env, e)
		}
	}
	return append(env, extra...)
}

// program is a running readout.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	ended chan error
	mu    sync.Mutex
	log   bytes.Buffer
}

// serve starts a server and returns when it listens.
func serve(t *testing.T, addr, dir string, variables ...string) *program {
	t.Helper()
	p := &program{t: t, ended: make(chan error, 1)}
	p.cmd = exec.Command(binary, "serve", "--addr", addr, "--data-dir", dir)
	p.cmd.Env = environment(append([]string{"READOUT_VERIFICATION=off"}, variables...)...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	listening := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			p.mu.Lock()
			p.log.Write(append(lines.Bytes(), '\n'))
			p.mu.Unlock()
			var line struct{ Msg, URL string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				listening <- line.URL
			}
		}
		p.ended <- p.cmd.Wait()
	}()
	select {
	case p.url = <-listening:
	case err := <-p.ended:
		p.ended <- err
		t.Fatalf("the server ended: %v\n%s", err, p.output())
	case <-time.After(time.Minute):
		t.Fatalf("the server does not listen\n%s", p.output())
	}
	return p
}

func (p *program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill is kill -9.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	err := <-p.ended
	p.ended <- err
}

// stop asks the server to stop and returns how it ended.
func (p *program) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.ended:
		p.ended <- err
		return err
	case <-time.After(30 * time.Second):
		return errors.New("the server does not stop")
	}
}

// readout runs one command to its end and returns what it printed.
func readout(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = environment()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("readout %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

// field returns the word after a word of printed text.
func field(t *testing.T, text, after string) string {
	t.Helper()
	words := strings.Fields(text)
	for i, w := range words {
		if w == after && i+1 < len(words) {
			return words[i+1]
		}
	}
	t.Fatalf("no %q in %q", after, text)
	return ""
}

// post sends JSON and decodes the answer.
func post(t *testing.T, url, credential string, body, into any) (status int, text string) {
	t.Helper()
	b, _ := json.Marshal(body)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(b))
	req.Header.Set("Content-Type", "application/json")
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatalf("%v in %s", err, answer)
		}
	}
	return resp.StatusCode, string(answer)
}

// login registers a person and returns their access token.
func login(t *testing.T, url, email string, register bool, password string) string {
	t.Helper()
	if register {
		if status, text := post(t, url+"/auth/register", "", map[string]string{"email": email, "password": password}, nil); status != http.StatusCreated {
			t.Fatalf("register: %d %s", status, text)
		}
	}
	var in struct{ AccessToken string }
	if status, text := post(t, url+"/auth/login", "", map[string]string{"email": email, "password": password}, &in); status != http.StatusOK {
		t.Fatalf("log in: %d %s", status, text)
	}
	return in.AccessToken
}

// machine returns the real readings of an industrial machine: by time in microseconds, later lines winning.
func machine(t *testing.T) (file string, want map[int64]float64) {
	t.Helper()
	file = filepath.Join("..", "..", "..", "shared", "data", "nab", "machine_temperature_system_failure.csv")
	f, err := os.Open(file)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the real data is missing: %v", err)
		}
		t.Skipf("the real data is missing: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want = map[int64]float64{}
	for _, row := range rows[1:] {
		at, err := time.Parse(time.DateTime, row[0])
		if err != nil {
			t.Fatal(err)
		}
		value, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		want[at.UnixMicro()] = value
	}
	if len(rows)-1 != 22_695 || len(want) != 22_683 {
		t.Fatalf("the data has %d lines and %d times", len(rows)-1, len(want))
	}
	return file, want
}

// watcher is a subscriber that reconnects after its cursor, as the documentation tells clients to.
type watcher struct {
	t           *testing.T
	url, token  string
	cursor      string
	offsets     []int64
	got         map[int64]float64
	reconnected int
	seen        chan int64 // the offset that it has come to
}

func (w *watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		w.t.Logf("subscription: %v; connecting again", err)
		w.reconnected++
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (w *watcher) follow(ctx context.Context) error {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.DialContext(ctx, strings.Replace(w.url, "http", "ws", 1)+"/graphql", nil)
	if err != nil {
		return err
	}
	resp.Body.Close()
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	arguments := `series: {metric: "temperature"}`
	if w.cursor != "" {
		arguments += `, after: "` + w.cursor + `"`
	}
	query := `subscription { readings(` + arguments + `) { cursor offset readings { time value } } }`
	for _, m := range []any{
		map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer " + w.token}},
		map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{"query": query}},
	} {
		if err := conn.WriteJSON(m); err != nil {
			return err
		}
		if m, ok := m.(map[string]any); ok && m["type"] == "connection_init" {
			var ack struct{ Type string }
			if err := conn.ReadJSON(&ack); err != nil {
				return err
			}
		}
	}
	for {
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := conn.ReadJSON(&m); err != nil {
			return err
		}
		if m.Type != "next" {
			return fmt.Errorf("%s %s", m.Type, m.Payload)
		}
		if err := w.take(m.Payload); err != nil {
			return err
		}
	}
}

func (w *watcher) take(payload []byte) error {
	var p struct {
		Data struct {
			Readings struct {
				Cursor   string
				Offset   *int64
				Readings []struct {
					Time  time.Time
					Value float64
				}
			}
		}
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return err
	}
	e := p.Data.Readings
	w.cursor = e.Cursor
	if e.Offset == nil {
		return nil
	}
	if len(e.Readings) > 0 {
		w.offsets = append(w.offsets, *e.Offset)
	}
	for _, r := range e.Readings {
		w.got[r.Time.UnixMicro()] = r.Value
	}
	w.seen <- *e.Offset
	return nil
}

// The main job on real input: an industrial machine's sensor, replayed through HTTP, with the server killed in the
// middle. Nothing is lost, nothing is there twice, and nobody else sees it.
func TestMachineReplayedThroughAKilledServer(t *testing.T) {
	t.Parallel()
	file, want := machine(t)
	dir := dataDir(t)
	server := serve(t, "127.0.0.1:0", dir)
	addr := strings.TrimPrefix(server.url, "http://")

	const email = "owner@example.org"
	password := field(t, readout(t, "user", "create", email, "--generate", "--data-dir", dir), "password")
	project := field(t, readout(t, "project", "create", "Machines", "--owner", email, "--data-dir", dir), "project")
	key := field(t, readout(t, "key", "create", "--project", project, "--data-dir", dir), "secret")
	owner := login(t, server.url, email, false, password)
	stranger := login(t, server.url, "stranger@example.org", true, "correct horse 42 staple")

	w := &watcher{t: t, url: server.url, token: owner, got: map[int64]float64{}, seen: make(chan int64, 10_000)}
	watching, stop := context.WithCancel(t.Context())
	watched := make(chan struct{})
	go func() { defer close(watched); w.run(watching) }()
	defer func() { stop(); <-watched }()

	replay := func() *exec.Cmd {
		cmd := exec.Command(binary, "replay", file, "--device", "machine", "--metric", "temperature", "--unit", "[degF]",
			"--url", server.url, "--key", key, "--batch", "100", "--json")
		cmd.Env = environment("XDG_CACHE_HOME=" + dir + "/cache")
		return cmd
	}
	first := replay()
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	for n := range w.seen {
		if n >= 40 {
			break
		}
	}
	server.kill()
	_ = first.Process.Signal(os.Interrupt)
	if err := first.Wait(); err == nil {
		t.Error("a replay that was interrupted says that all is well")
	}

	server = serve(t, addr, dir)
	second := replay()
	out, err := second.Output()
	if err != nil {
		t.Fatalf("resumed replay: %v", err)
	}
	var sent struct{ Sent, Accepted, Late int }
	if err := json.Unmarshal(out, &sent); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if sent.Sent != sent.Accepted || sent.Sent >= 22_695 || sent.Sent == 0 {
		t.Errorf("resumed replay: %s, want the rest accepted", out)
	}

	series, got := pages(t, server.url, owner)
	if !maps.Equal(got, want) {
		t.Errorf("GraphQL has %d readings, want exactly the %d distinct ones, later lines winning", len(got), len(want))
	}
	wait(t, w, head(t, server.url, key))
	if !maps.Equal(w.got, want) {
		t.Errorf("the subscription has %d readings, want %d", len(w.got), len(want))
	}
	if !slices.IsSorted(w.offsets) || len(slices.Compact(slices.Clone(w.offsets))) < len(w.offsets) {
		t.Fatalf("the subscription has offsets %d: want each once, in order", w.offsets)
	}
	if w.reconnected == 0 {
		t.Error("the subscription was never cut: the test proves nothing")
	}
	foreignIsUnknown(t, server.url, stranger, series)
	if err := server.stop(); err != nil {
		t.Errorf("stop: %v\n%s", err, server.output())
	}
}

// head is the offset of the project's last entry: that of one more reading.
func head(t *testing.T, url, key string) int64 {
	t.Helper()
	var ack struct{ Offset int64 }
	body := map[string]any{"device": "marker", "metric": "other", "value": 1}
	if status, text := post(t, url+"/v1/readings", key, body, &ack); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	return ack.Offset - 1
}

// wait waits until the watcher has seen the entry at an offset.
func wait(t *testing.T, w *watcher, offset int64) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case n := <-w.seen:
			if n >= offset {
				return
			}
		case <-limit:
			t.Fatalf("the subscription does not reach entry %d", offset)
		}
	}
}

// pages reads the one temperature series from GraphQL, page by page.
func pages(t *testing.T, url, token string) (series string, got map[int64]float64) {
	t.Helper()
	got = map[int64]float64{}
	for after := ""; ; {
		var a struct {
			Data struct {
				Series struct {
					Edges []struct {
						Node struct {
							ID       string
							Readings struct {
								Nodes []struct {
									Time  time.Time
									Value float64
								}
								PageInfo struct {
									HasNextPage bool
									EndCursor   string
								}
							}
						}
					}
				}
			}
		}
		query := `{ series(where: {metric: "temperature"}) { edges { node { id readings(first: 1000` + after + `) {
			nodes { time value } pageInfo { hasNextPage endCursor } } } } } }`
		_, text := post(t, url+"/graphql", token, map[string]string{"query": query}, &a)
		if len(a.Data.Series.Edges) != 1 {
			t.Fatalf("want one series: %.500s", text)
		}
		node := a.Data.Series.Edges[0].Node
		for _, r := range node.Readings.Nodes {
			if _, twice := got[r.Time.UnixMicro()]; twice {
				t.Fatalf("%s is there twice", r.Time)
			}
			got[r.Time.UnixMicro()] = r.Value
		}
		if !node.Readings.PageInfo.HasNextPage {
			return node.ID, got
		}
		after = `, after: "` + node.Readings.PageInfo.EndCursor + `"`
	}
}

// foreignIsUnknown checks that a stranger's answers for the series are those for one that does not exist, to the byte.
func foreignIsUnknown(t *testing.T, url, stranger, series string) {
	t.Helper()
	for _, query := range []string{
		`{ node(id: "%s") { id ... on Series { metric latest { value } readings { nodes { value } } } } }`,
		`{ series(where: {id: "%s"}) { edges { node { id } } totalCount } }`,
		`{ readings(series: {id: "%s"}) { nodes { value } } }`,
		`{ latest(series: {id: "%s"}) { value } }`,
		`mutation { updateSeries(id: "%s", input: {unit: "K"}) { id } }`,
		`mutation { deleteSeries(id: "%s") }`,
	} {
		ask := func(id string) string {
			status, text := post(t, url+"/graphql", stranger, map[string]string{"query": fmt.Sprintf(query, id)}, nil)
			return fmt.Sprint(status, text)
		}
		if foreign, unknown := ask(series), ask("17999999999"); foreign != unknown {
			t.Errorf("%s: foreign %s, unknown %s", query, foreign, unknown)
		}
	}
}

func TestSecondServerOnTheSameFolderIsRefused(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	serve(t, "127.0.0.1:0", dir)
	cmd := exec.Command(binary, "serve", "--addr", "127.0.0.1:0", "--data-dir", dir)
	cmd.Env = environment("READOUT_VERIFICATION=off")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 5 || !strings.Contains(string(out), "--data-dir") {
		t.Errorf("got %v: %s; want exit 5 and a remedy", err, out)
	}
}

func TestDemoIsReadyAndLive(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	var last map[int64]float64
	for range 2 { // the second start goes on where the first left off
		start := time.Now()
		cmd := exec.Command(binary, "demo", "--json", "--addr", "127.0.0.1:0", "--data-dir", dir, "--every", "400ms")
		cmd.Env = environment()
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var progress bytes.Buffer
		cmd.Stderr = &progress
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(stdout).ReadBytes('\n')
		if err != nil {
			_ = cmd.Wait()
			t.Fatalf("demo: %v\n%s", err, progress.String())
		}
		t.Logf("ready after %s", time.Since(start).Round(time.Millisecond))
		var access struct{ URL, Email, Password, ProjectKey, DeviceKey string }
		if err := json.Unmarshal(line, &access); err != nil {
			t.Fatal(err)
		}
		token := login(t, access.URL, access.Email, false, access.Password)
		last = demoHistory(t, access.URL, token, access.DeviceKey, last)
		w := &watcher{t: t, url: access.URL, token: access.ProjectKey, got: map[int64]float64{}, seen: make(chan int64, 100)}
		watching, stop := context.WithCancel(t.Context())
		watched := make(chan struct{})
		go func() { defer close(watched); w.run(watching) }()
		for n := range w.seen {
			if n >= 3 {
				break
			}
		}
		stop()
		<-watched
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("stop: %v\n%s", err, progress.String())
		}
	}
}

// demoHistory checks that a month of the first device's temperature is there, with all that was there before.
func demoHistory(t *testing.T, url, token, deviceKey string, before map[int64]float64) map[int64]float64 {
	t.Helper()
	if _, text := post(t, url+"/graphql", token, map[string]string{"query": `{ devices { totalCount } series { totalCount } }`}, nil); text != `{"data":{"devices":{"totalCount":8},"series":{"totalCount":48}}}` {
		t.Errorf("got %s, want 8 devices and 48 series", text)
	}
	_, got := pages(t, url, deviceKey) // a device's key sees one series of that metric
	if len(got) < 30*24*12*8/10 {
		t.Errorf("got %d readings, want about a month of them", len(got))
	}
	for at, v := range before {
		if got[at] != v {
			t.Fatalf("the reading at %d of the last start is gone", at)
		}
	}
	return got
}

func TestMisspeltVariableIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ variable, want string }{
		{"READOUT_ADRR=x", "READOUT_ADRR"},
		{"READOUT_ADDR=nonsense", "READOUT_ADDR"},
		{"READOUT_TOKEN_TTL=1s", "READOUT_TOKEN_TTL"},
		{"READOUT_MAX_CONNECTIONS=8o", "max-connections"},
		{"READOUT_DATABASE_URL=postgres://u:hunter2@h/d", "READOUT_JWT_SECRET"},
		{"READOUT_JWT_SECRET=hunter2", "READOUT_JWT_SECRET"},
	} {
		cmd := exec.Command(binary, "config")
		cmd.Env = environment(c.variable)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), c.want) || strings.Contains(string(out), "hunter2") {
			t.Errorf("%s: got %v: %s; want exit 2 and %s", c.variable, err, out, c.want)
		}
	}
}

func TestConfigMasksSecrets(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(binary, "config")
	cmd.Env = environment("READOUT_DATABASE_URL=postgres://u:hunter2@h/d", "READOUT_JWT_SECRET=4pQz8vB1nXw7Rk3Ty6Lc9Jh2Gf5Dm0Sa")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "hunter2") || strings.Contains(string(out), "4pQz8") || !strings.Contains(string(out), "********") {
		t.Errorf("got %v: %s", err, out)
	}
}
