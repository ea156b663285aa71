package graph_test

import (
	"strings"
	"testing"
)

func TestAccountIsSeenByItsPersonAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.login("phone", "viewer")
	query := `{ found: node(id: ` + id(w.users["viewer"]) + `) { ... on User { name account { verified zone settings sessions { id agent } } } } }`
	own := w.ask("phone", query)
	if !strings.Contains(own.Body, `"account":{"verified":true,"zone":"UTC","settings":{},"sessions":[{"id":"`) {
		t.Errorf("the person: %s", own.Body)
	}
	for _, who := range []string{"owner", "projectKey", "adminKey"} {
		if a := w.ask(who, query); !strings.Contains(a.Body, `"found":{"name":"viewer","account":null}`) {
			t.Errorf("%s: %s", who, a.Body)
		}
	}
}

func TestPersonChangesTheirAccount(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.ask("viewer", `mutation { updateMe(input: {name: "Ada", zone: "Asia/Kathmandu", settings: {theme: "dark", sounds: [1, 2.5, null]}}) { name account { zone settings } } }`)
	if !strings.Contains(a.Body, `{"name":"Ada","account":{"zone":"Asia/Kathmandu","settings":{`) || !strings.Contains(a.Body, `"sounds": [1, 2.5, null]`) {
		t.Errorf("got %s", a.Body)
	}
	if a := w.ask("viewer", `mutation { updateMe(input: {zone: "Europe/Berlin"}) { name account { zone settings } } }`); !strings.Contains(a.Body, `"name":"Ada"`) || !strings.Contains(a.Body, `dark`) {
		t.Errorf("what is left out has changed: %s", a.Body)
	}
	for _, input := range []string{`zone: "Mars"`, `settings: [1]`, `settings: "text"`, `settings: {a: "` + strings.Repeat("x", 16<<10) + `"}`, `name: "` + strings.Repeat("x", 129) + `"`} {
		if a := w.ask("viewer", `mutation { updateMe(input: {`+input+`}) { name } }`); a.code() != "BAD_USER_INPUT" && a.code() != "TOO_LARGE" {
			t.Errorf("%.40s: %s", input, a.Body)
		}
	}
}

func TestPersonEndsTheirSessions(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.login("phone", "viewer")
	laptop, _ := w.login("laptop", "viewer"), w.login("tablet", "viewer")
	foreign := w.login("foreign", "owner")
	onLaptop, onTablet, onForeign, onPhone := w.connect("laptop"), w.connect("tablet"), w.connect("foreign"), w.connect("phone")
	if a := w.ask("phone", `mutation { endSession(id: `+id(foreign.ID)+`) }`); a.code() != "NOT_FOUND" {
		t.Errorf("a foreign session: %s", a.Body)
	}
	if a := w.ask("phone", `mutation { endSession(id: `+id(laptop.ID)+`) }`); a.code() != ok {
		t.Fatal(a.Body)
	}
	onLaptop.wantEnd("session has ended")
	onTablet.wantOpen()
	if a := w.ask("phone", `mutation { endOtherSessions }`); !strings.Contains(a.Body, `"endOtherSessions":1`) {
		t.Errorf("got %s", a.Body)
	}
	onTablet.wantEnd("session has ended")
	onForeign.wantOpen()
	onPhone.wantOpen()
}
