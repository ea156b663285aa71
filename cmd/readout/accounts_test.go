package main_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/readout-dev/readout/internal/testdb"
)

// relay is an SMTP server that passes on what it is sent.
type relay struct {
	url  string
	mail chan string // whole messages, as they came
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{url: "smtp://" + listener.Addr().String(), mail: make(chan string, 10)}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return delivery{r}, nil }))
	s.Domain = "relay.test"
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(listener) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return r
}

type delivery struct{ *relay }

func (delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (delivery) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (delivery) Reset()                               {}
func (delivery) Logout() error                        { return nil }
func (d delivery) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	d.mail <- string(text)
	return err
}

var mailedLink = regexp.MustCompile(`(\S+)/auth/link#(verify|reset|email)=3?D?([A-Z2-7]{26})`)

// link waits for a mail to somebody, and returns where its link leads to, its kind and its token.
func (r *relay) link(t *testing.T, to string) (server, kind, token string) {
	t.Helper()
	select {
	case text := <-r.mail:
		// What is not ASCII, and "=", is quoted.
		link := mailedLink.FindStringSubmatch(strings.ReplaceAll(strings.ReplaceAll(text, "=\r\n", ""), "=3D", "="))
		if link == nil || !strings.Contains(text, "<"+to+">") {
			t.Fatalf("the mail is\n%s", text)
		}
		return link[1], link[2], link[3]
	case <-time.After(20 * time.Second):
		t.Fatal("no mail came")
		return "", "", ""
	}
}

func TestPersonRegistersByMailAndLogsOutEverywhere(t *testing.T) {
	t.Parallel()
	relay := newRelay(t)
	database := testdb.URL(t)
	variables := []string{
		"READOUT_VERIFICATION=on", "READOUT_SMTP_URL=" + relay.url, "READOUT_MAIL_FROM=Readout <readout@example.net>",
		"READOUT_PUBLIC_URL=https://readout.example.net/", "READOUT_DATABASE_URL=" + database, "READOUT_JWT_SECRET=" + jwtSecret,
	}
	p := &pair{t: t, database: database, a: serve(t, "127.0.0.1:0", dataDir(t), variables...), b: serve(t, "127.0.0.1:0", dataDir(t), variables...)}
	person := map[string]string{"email": "ada@example.org", "password": "correct horse 42 staple"}
	ask := func(path string, body any, want int) {
		t.Helper()
		if status, text := post(t, p.a.url+path, "", body, nil); status != want {
			t.Fatalf("%s: %d %s, want %d", path, status, text, want)
		}
	}
	ask("/auth/register", person, http.StatusAccepted)
	server, kind, token := relay.link(t, "ada@example.org")
	if server != "https://readout.example.net" || kind != "verify" {
		t.Errorf("the link is of kind %s and begins with %s", kind, server)
	}
	ask("/auth/login", person, http.StatusForbidden)
	ask("/auth/verify", map[string]string{"token": token, "password": person["password"]}, http.StatusNoContent)

	var here, there struct{ AccessToken, RefreshToken string }
	for _, in := range []any{&here, &there} {
		if status, text := post(t, p.a.url+"/auth/login", "", person, in); status != http.StatusOK {
			t.Fatalf("log in: %d %s", status, text)
		}
	}
	onA, _ := p.open(p.a, here.AccessToken, "")
	onB, _ := p.open(p.b, here.AccessToken, "")
	other, _ := p.open(p.b, there.AccessToken, "")
	if status, text := post(t, p.a.url+"/auth/logout", here.AccessToken, map[string]string{}, nil); status != http.StatusNoContent {
		t.Fatalf("log out: %d %s", status, text)
	}
	began := time.Now()
	for name, ended := range map[string]<-chan string{"a": onA, "b": onB} {
		if how := within(began, ended); !strings.Contains(how, "4403") {
			t.Errorf("the socket on %s: %s", name, how)
		}
	}
	for _, s := range []*program{p.a, p.b} {
		for {
			status, _ := post(t, s.url+"/graphql", here.AccessToken, map[string]string{"query": "{ __typename }"}, nil)
			if status == http.StatusUnauthorized {
				break
			}
			if time.Since(began) > 2*time.Second {
				t.Fatalf("the access token works on: %d", status)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	select {
	case how := <-other:
		t.Errorf("the socket of another session ended: %s", how)
	default:
	}

	ask("/auth/password/forgot", map[string]string{"email": "ada@example.org"}, http.StatusAccepted)
	_, _, token = relay.link(t, "ada@example.org")
	ask("/auth/password/reset", map[string]string{"token": token, "password": "another horse 43 staple"}, http.StatusNoContent)
	if how := within(time.Now(), other); !strings.Contains(how, "4403") {
		t.Errorf("the socket of a session that a reset ended: %s", how)
	}
}

func TestOperatorSetsAPassword(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	server := serve(t, "127.0.0.1:0", dir)
	readout(t, "user", "create", "ada@example.org", "--generate", "--data-dir", dir)
	password := field(t, readout(t, "user", "reset-password", "Ada@example.org", "--generate", "--data-dir", dir), "password")
	if out := readout(t, "user", "reset-password", "ada@example.org", "--generate", "--data-dir", dir); field(t, out, "user") == "" {
		t.Error(out)
	}
	status, _ := post(t, server.url+"/auth/login", "", map[string]string{"email": "ada@example.org", "password": password}, nil)
	if status != http.StatusUnauthorized {
		t.Errorf("a password that was replaced: got %d", status)
	}
}

func TestDemoShowsItsMail(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(binary, "demo", "--json", "--days", "0", "--addr", "127.0.0.1:0", "--data-dir", dataDir(t))
	cmd.Env = environment()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var access struct{ URL string }
	if err := json.NewDecoder(out).Decode(&access); err != nil {
		t.Fatal(err)
	}
	person := map[string]string{"email": "eve@example.org", "password": "correct horse 42 staple"}
	if status, text := post(t, access.URL+"/auth/register", "", person, nil); status != http.StatusAccepted {
		t.Fatalf("register: %d %s", status, text)
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(access.URL + "/dev/mail")
		if err != nil {
			t.Fatal(err)
		}
		var kept []struct{ To, Text string }
		err = json.NewDecoder(resp.Body).Decode(&kept)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(kept) == 1 {
			link := mailedLink.FindStringSubmatch(kept[0].Text)
			if link == nil || link[1] != access.URL {
				t.Fatalf("the mail is %+v", kept)
			}
			if status, text := post(t, access.URL+"/auth/verify", "", map[string]string{"token": link[3], "password": person["password"]}, nil); status != http.StatusNoContent {
				t.Errorf("verify: %d %s", status, text)
			}
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal("no mail came")
		}
	}
	login(t, access.URL, "eve@example.org", false, "correct horse 42 staple")
}
