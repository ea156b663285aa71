package main_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// open opens a socket of a server with a credential, and returns what it says of how it ended, and after what was heard.
func (p *pair) open(server *program, credential string, subscription string) (ended <-chan string, heard <-chan string) {
	p.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.DialContext(p.t.Context(), "ws"+server.url[len("http"):]+"/graphql", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp.Body.Close()
	p.t.Cleanup(func() { conn.Close() })
	init := map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer " + credential}}
	var ack struct{ Type string }
	if err := errors.Join(conn.WriteJSON(init), conn.ReadJSON(&ack)); err != nil || ack.Type != "connection_ack" {
		p.t.Fatal(ack, err)
	}
	if subscription != "" {
		err := conn.WriteJSON(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{"query": "subscription { " + subscription + " }"}})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	end, said := make(chan string, 1), make(chan string, 1000)
	go func() {
		for {
			_, text, err := conn.ReadMessage()
			if err != nil {
				end <- err.Error()
				return
			}
			said <- string(text)
		}
	}()
	return end, said
}

// command runs a command beside the servers.
func (p *pair) command(args ...string) {
	p.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = environment("READOUT_DATABASE_URL="+p.database, "READOUT_JWT_SECRET="+jwtSecret)
	if said, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("readout %s: %v\n%s", strings.Join(args, " "), err, said)
	}
}

// within returns what comes within two seconds of began.
func within(began time.Time, what <-chan string) string {
	select {
	case said := <-what:
		return said
	case <-time.After(time.Until(began.Add(2 * time.Second))):
		return "nothing in 2 s"
	}
}

// Idle sockets of both servers end, whether one of them or a command takes the right away.
func TestRightsEndOnEveryServer(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for name, revoke := range map[string]func(id string){
		"by the other server": func(id string) { p.ask(p.a, p.token, fmt.Sprintf(`mutation { deleteKey(id: %q) }`, id), nil) },
		"by a command":        func(id string) { p.command("key", "revoke", id) },
	} {
		var made struct {
			Data struct {
				CreateKey struct {
					Secret string
					Key    struct{ ID string }
				}
			}
		}
		p.ask(p.a, p.token, fmt.Sprintf(`mutation { createKey(input: {projectID: %q, scopes: [READ]}) { secret key { id } } }`, p.project), &made)
		secret := made.Data.CreateKey.Secret
		onA, _ := p.open(p.a, secret, "")
		onB, _ := p.open(p.b, secret, `readings(series: {}) { caughtUp }`)
		other, _ := p.open(p.b, p.key, "")
		revoke(made.Data.CreateKey.Key.ID)
		began := time.Now()
		for server, ended := range map[string]<-chan string{"a": onA, "b": onB} {
			if how := within(began, ended); !strings.Contains(how, "4403") {
				t.Errorf("revoked %s, the socket on %s: %s", name, server, how)
			}
		}
		select {
		case how := <-other:
			t.Errorf("revoked %s, and the socket of another key ended: %s", name, how)
		default:
		}
	}
}

func TestChangesAreToldByEveryServer(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	_, heard := p.open(p.b, p.token, `changes(of: [DEVICE, SERIES, KEY]) { kind type node { id } }`)
	expect := func(when string, began time.Time, want string) {
		t.Helper()
		for {
			said := within(began, heard)
			if strings.Contains(said, `"MISSED"`) { // from when the servers met
				continue
			}
			if !strings.Contains(said, want) {
				t.Fatalf("%s: heard %s, want %s", when, said, want)
			}
			return
		}
	}
	// The subscription begins some time after it was asked for.
	for range 1000 {
		var listed struct {
			Data struct{ Subscribers []struct{ ID string } }
		}
		if p.ask(p.b, p.token, fmt.Sprintf(`{ subscribers(project: %q) { id } }`, p.project), &listed); len(listed.Data.Subscribers) == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	began := time.Now()
	p.send(p.a, 0, 0)
	expect("the first reading", began, `"kind":"CREATED","type":"DEVICE","node":{"id"`)
	expect("the first reading", began, `"kind":"CREATED","type":"SERIES","node":{"id"`)
	began = time.Now()
	p.ask(p.a, p.token, fmt.Sprintf(`mutation { deleteSeries(id: %q) }`, p.series(p.a)), nil)
	expect("a deletion", began, `"kind":"DELETED","type":"SERIES","node":null`)
	p.command("key", "create", "--project", p.project, "--device", "new")
	began = time.Now()
	expect("a command", began, `"kind":"CREATED","type":"DEVICE","node":{"id"`)
	expect("a command", began, `"kind":"CREATED","type":"KEY","node":{"id"`)
}
