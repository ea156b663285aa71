package main

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// endpoints are the rows of the matrix for the program's routes: one for each method.
func (e *estate) endpoints() (names []string) {
	for _, r := range e.routes(doors{}) {
		methods := r.methods
		if methods == nil {
			methods = []string{http.MethodGet}
		}
		for _, m := range methods {
			if m != http.MethodHead { // what GET says without its body
				names = append(names, m+" "+r.path)
			}
		}
	}
	slices.Sort(names)
	return names
}

// sent is what a request says of a path and, as JSON, in its body.
type sent struct {
	path string
	body any
}

type fields = map[string]any

// requests are those whose path or body says something.
var requests = map[string]func(p *place, v visitor) sent{
	"GET /": func(*place, visitor) sent { return sent{path: "/nothing"} },
	"GET /graphql": func(p *place, _ visitor) sent {
		return sent{path: "/graphql?query=" + url.QueryEscape(p.fill("{ node(id: $device) { id } }"))}
	},
	"GET /v1/export":            func(p *place, _ visitor) sent { return sent{path: "/v1/export?series=" + p.id("series")} },
	"GET /v1/export/statistics": func(p *place, _ visitor) sent { return sent{path: "/v1/export/statistics?series=" + p.id("series")} },
	"POST /v1/readings": func(p *place, _ visitor) sent {
		return sent{body: fields{"device": p.name + "-device", "metric": p.name + "-metric", "labels": fields{"room": p.name}, "value": 1}}
	},
	"POST /auth/register": func(p *place, _ visitor) sent {
		return sent{body: fields{"email": p.newAddress(), "password": everybodysPassword}}
	},
	"POST /auth/verify":        func(*place, visitor) sent { return sent{body: fields{"token": "WRONG"}} },
	"POST /auth/verify/resend": func(p *place, v visitor) sent { return sent{body: fields{"email": p.address(v)}} },
	"POST /auth/login": func(p *place, v visitor) sent {
		return sent{body: fields{"email": p.address(v), "password": everybodysPassword}}
	},
	"POST /auth/refresh": func(_ *place, v visitor) sent { return sent{body: fields{"refreshToken": cmp.Or(v.refresh, "none")}} },
	"POST /auth/password": func(*place, visitor) sent {
		return sent{body: fields{"old": everybodysPassword, "new": "another horse 43 staple"}}
	},
	"POST /auth/password/forgot": func(p *place, v visitor) sent { return sent{body: fields{"email": p.address(v)}} },
	"POST /auth/password/reset": func(*place, visitor) sent {
		return sent{body: fields{"token": "WRONG", "password": everybodysPassword}}
	},
	"POST /auth/email": func(p *place, _ visitor) sent {
		return sent{body: fields{"password": everybodysPassword, "email": p.newAddress()}}
	},
	"PATCH /auth/me":             func(*place, visitor) sent { return sent{body: fields{"zone": "Europe/Berlin"}} },
	"DELETE /auth/me":            func(*place, visitor) sent { return sent{body: fields{"password": everybodysPassword}} },
	"DELETE /auth/sessions/{id}": func(p *place, _ visitor) sent { return sent{path: "/auth/sessions/" + p.id("session")} },
}

func (p *place) id(entity string) string { return strconv.FormatInt(p.ids[entity], 10) }

// address is that of a person; who is none tries one that has no account.
func (e *estate) address(v visitor) string { return cmp.Or(v.email, e.newAddress()) }

// newAddress is one that nobody has.
func (e *estate) newAddress() string {
	return "nobody-" + strconv.FormatInt(e.serial.Add(1), 10) + "@example.org"
}

// call sends a row's request, and returns its status as the matrix writes it, and the body.
func (p *place) call(row string, v visitor) (outcome, text string) {
	p.t.Helper()
	method, path, _ := strings.Cut(row, " ")
	var s sent
	if make := requests[row]; make != nil {
		s = make(p, v)
	}
	if s.path == "" {
		s.path = strings.TrimSuffix(path, "{$}")
	}
	return p.fetch(method, s.path, v, s.body)
}

// fetch sends a request, and returns its status, "ok" below 400, and the body.
func (e *estate) fetch(method, path string, v visitor, body any) (outcome, text string) {
	e.t.Helper()
	r := e.request(e.t.Context(), method, path, v)
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			e.t.Fatal(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(b)))
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultTransport.RoundTrip(r) // and go nowhere from there
	if err != nil {
		e.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatalf("%s %s: %v", method, path, err)
	}
	if resp.StatusCode < http.StatusBadRequest {
		return "ok", string(said)
	}
	return strconv.Itoa(resp.StatusCode), string(said)
}

// requestID is what differs between two answers that say the same.
var requestID = regexp.MustCompile(`"requestId":"\w+"`)
