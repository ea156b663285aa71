package transport_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/readout-dev/readout/graph/transport"
)

const (
	mediaJSON    = "application/json"
	mediaGraphQL = "application/graphql-response+json"
)

func TestHTTPAnswersWithTheStatusThatTheMediaTypeAsksFor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	cases := []struct {
		name    string
		body    string
		json    int // status as application/json
		graphQL int // status as application/graphql-response+json
		want    string
	}{
		{"query", `{"query":"{hello}"}`, 200, 200, `{"data":{"hello":"world"}}`},
		{"variables", `{"query":"query($t:String!){echo(text:$t)}","variables":{"t":"é\u0000\ud83c\udfca"}}`, 200, 200, `{"data":{"echo":"é\u0000🏊"}}`},
		{"mutation", `{"query":"mutation{add(by:2)}"}`, 200, 200, `{"data":{"add":2}}`},
		{"operation by name", `{"query":"query A{hello} query B{a:hello}","operationName":"B"}`, 200, 200, `{"data":{"a":"world"}}`},
		{"nulls", `{"query":"{hello}","variables":null,"extensions":null,"operationName":null}`, 200, 200, `{"data":{"hello":"world"}}`},
		{"unknown member", `{"query":"{hello}","documentId":"x"}`, 200, 200, `{"data":{"hello":"world"}}`},
		{"field error", `{"query":"{fails}"}`, 200, 200, `{"errors":[{"message":"it failed"}],"data":{"fails":null}}`},
		{"data null", `{"query":"{forbidden}"}`, 200, 200, `{"errors":[{"message":"forbidden: not yours"}],"data":null}`},
		{"syntax", `{"query":"{"}`, 200, 400, `{"errors":[{"message":"Expected Name, found <EOF>","locations":[{"line":1,"column":2}],"extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}`},
		{"subscription", `{"query":"subscription{ticks}"}`, 200, 400, `{"errors":[{"message":"subscriptions need a WebSocket with the subprotocol graphql-transport-ws, or Accept: text/event-stream or multipart/mixed;subscriptionSpec=1.0","extensions":{"code":"BAD_REQUEST"}}]}`},
		{"unknown persisted query", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`, 200, 400, `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`},
		{"no query", `{}`, 400, 400, `{"errors":[{"message":"query is missing","extensions":{"code":"BAD_USER_INPUT"}}]}`},
		{"empty body", ` `, 400, 400, `{"errors":[{"message":"the request is empty","extensions":{"code":"BAD_REQUEST"}}]}`},
		{"not JSON", `{"query":"…hunter2…" BROKEN`, 400, 400, `{"errors":[{"message":"the request is not JSON","extensions":{"code":"BAD_REQUEST"}}]}`},
		{"batch", `[{"query":"{hello}"}]`, 400, 400, `{"errors":[{"message":"one JSON object is expected; batches are not supported","extensions":{"code":"BAD_USER_INPUT"}}]}`},
		{"member twice", `{"query":"{hello}","query":"{hello}"}`, 400, 400, `{"errors":[{"message":"a member of a JSON object is given twice","extensions":{"code":"BAD_USER_INPUT"}}]}`},
		{"trailing document", `{"query":"{hello}"}{}`, 400, 400, `{"errors":[{"message":"something follows the JSON value","extensions":{"code":"BAD_REQUEST"}}]}`},
		{"wrong type", `{"query":"{hello}","variables":[1]}`, 400, 400, `{"errors":[{"message":"variables must be an object or null","extensions":{"code":"BAD_USER_INPUT"}}]}`},
		{"too long", `{"query":"` + strings.Repeat(" ", 2000) + `"}`, 413, 413, `{"errors":[{"message":"the request is longer than 2000 bytes","extensions":{"code":"TOO_LARGE"}}]}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for media, status := range map[string]int{mediaJSON: c.json, mediaGraphQL: c.graphQL} {
				got := w.request(t, "POST", "/", c.body, "Content-Type", "application/json", "Accept", media)
				if got.status != status || !sameJSON(got.body, c.want) {
					t.Errorf("as %s: want %d %s, got %d %s", media, status, c.want, got.status, got.body)
				}
				if got.header.Get("Content-Type") != media+"; charset=utf-8" {
					t.Errorf("Content-Type is %q", got.header.Get("Content-Type"))
				}
				if got.header.Get("Content-Length") != strconv.Itoa(len(got.body)) || got.header.Get("Vary") != "Accept" {
					t.Errorf("headers are %v", got.header)
				}
			}
		})
	}
}

func TestAllowNamesTheMethodsOfTransportsBeside(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	transport.HTTP{Beside: "PUT, DELETE"}.Do(w, httptest.NewRequest(http.MethodPatch, "/", nil), nil)
	if got := w.Header().Get("Allow"); w.Code != http.StatusMethodNotAllowed || got != "GET, POST, PUT, DELETE, OPTIONS" {
		t.Errorf("got %d, %s", w.Code, got)
	}
}

func TestHTTPRefusesWhatItDoesNotServe(t *testing.T) {
	t.Parallel()
	w := setup(t)
	get := func(name, value string) string { return "/?" + url.Values{name: {value}}.Encode() }
	cases := []struct {
		name         string
		method, path string
		header       []string
		status       int
		wantHeader   []string
	}{
		{"mutation by GET", "GET", get("query", "mutation{add(by:1)}"), nil, 405, []string{"Allow", "POST"}},
		{"subscription by GET", "GET", get("query", "subscription{ticks}"), nil, 405, []string{"Allow", "POST"}},
		{"PUT", "PUT", "/", nil, 405, []string{"Allow", "GET, POST, OPTIONS"}},
		{"HEAD", "HEAD", "/", nil, 405, []string{"Allow", "GET, POST, OPTIONS"}},
		{"TRACE", "TRACE", "/", nil, 405, []string{"Allow", "GET, POST, OPTIONS"}},
		{"OPTIONS", "OPTIONS", "/", nil, 204, []string{"Allow", "GET, POST, OPTIONS"}},
		{"no Content-Type", "POST", "/", nil, 415, nil},
		{"form", "POST", "/", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, nil},
		{"multipart", "POST", "/", []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, nil},
		{"other charset", "POST", "/", []string{"Content-Type", "application/json; charset=utf-16"}, 415, nil},
		{"compressed", "POST", "/", []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 415, nil},
		{"Accept", "POST", "/", []string{"Accept", "text/html"}, 406, []string{"Content-Type", "application/json; charset=utf-8"}},
		{"parameter twice", "GET", "/?query=%7Bhello%7D&query=%7Bhello%7D", nil, 400, nil},
		{"broken escape", "GET", "/?query=%zz", nil, 400, nil},
		{"variables that are no JSON", "GET", "/?query=%7Bhello%7D&variables=x", nil, 400, nil},
		{"no query", "GET", "/", nil, 400, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := w.request(t, c.method, c.path, `{"query":"{hello}"}`, c.header...)
			if got.status != c.status || len(got.body) > 1000 {
				t.Errorf("want %d, got %d %s", c.status, got.status, got.body)
			}
			for i := 0; i+1 < len(c.wantHeader); i += 2 {
				if got.header.Get(c.wantHeader[i]) != c.wantHeader[i+1] {
					t.Errorf("want %v, got %v", c.wantHeader, got.header)
				}
			}
		})
	}
}

func TestHTTPAnswersQueriesByGET(t *testing.T) {
	t.Parallel()
	w := setup(t)
	path := "/?" + url.Values{
		"query":         {"query Q($t:String!){echo(text:$t)}"},
		"variables":     {`{"t":"a b"}`},
		"operationName": {"Q"},
		"extensions":    {""},
	}.Encode()
	if got := w.request(t, "GET", path, ""); got.status != 200 || got.body != `{"data":{"echo":"a b"}}` {
		t.Errorf("got %+v", got)
	}
}

func TestHTTPSaysThatTheTimeIsOver(t *testing.T) {
	t.Parallel()
	w := setup(t)
	got := w.request(t, "POST", "/", `{"query":"{hello}"}`, "Content-Type", "application/json", "Late", "yes")
	if got.status != 503 || got.header.Get("Retry-After") != "1" || !strings.Contains(got.body, "UNAVAILABLE") {
		t.Errorf("got %+v", got)
	}
}

func TestHTTPShowsNothingOfAPanic(t *testing.T) {
	t.Parallel()
	w := setup(t)
	got := w.request(t, "POST", "/", `{"query":"{panics}"}`, "Content-Type", "application/json")
	if got.status != 500 || strings.Contains(got.body, "secret") || !json.Valid([]byte(got.body)) {
		t.Errorf("got %+v", got)
	}
}
