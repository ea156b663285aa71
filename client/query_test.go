package client_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/readout-dev/readout/client"
)

func TestQueryAsksAsItIsTold(t *testing.T) {
	t.Parallel()
	c := answer(t, client.Key("rd_prj_x"), func(w http.ResponseWriter, r *http.Request) {
		var asked client.Request
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Query != "{ me { id } }" || asked.Variables["n"] != 1.0 {
			t.Errorf("asked for %+v, %v", asked, err)
		}
		if r.URL.Path != "/graphql" || r.Header.Get("Authorization") != "Bearer rd_prj_x" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("asked %s with %v", r.URL, r.Header)
		}
		_, _ = w.Write([]byte(`{"data":{"me":{"id":"7"}}}`))
	})
	var got struct{ Me struct{ ID string } }
	if err := c.Query(t.Context(), "{ me { id } }", map[string]any{"n": 1}, &got); err != nil || got.Me.ID != "7" {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := c.Query(t.Context(), "{ me { id } }", map[string]any{"n": 1}, nil); err != nil {
		t.Error(err)
	}
}

func TestQueryTellsErrors(t *testing.T) {
	t.Parallel()
	f := func(status int, body, want string, data int) {
		t.Helper()
		c := answer(t, client.Key("rd_prj_x"), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
		var got struct{ A int }
		if err := c.Query(t.Context(), "{ a }", nil, &got); err == nil || err.Error() != want || got.A != data {
			t.Errorf("%d %s: got %v and %d, want %s and %d", status, body, err, got.A, want, data)
		}
	}
	f(200, `{"data":{"a":1,"b":null},"errors":[{"message":"m","extensions":{"code":"NOT_FOUND"}}]}`, "NOT_FOUND: m", 1)
	f(200, `{"data":null,"errors":[{"message":"m"}]}`, "m", 0)
	f(401, `{"errors":[{"message":"m","extensions":{"code":"UNAUTHENTICATED"}}]}`, "UNAUTHENTICATED: m", 0)
	f(502, "<h1>Bad</h1>\n", "the server answered 502 Bad Gateway: <h1>Bad</h1>", 0)
	f(404, `{"status":404,"code":"not_found","detail":"no such path"}`, "the server answered 404 Not Found: no such path", 0)
	f(200, `{"data":{"a":"text"}}`, "read the answer's data: json: cannot unmarshal string into Go struct field .A of type int", 0)
	f(200, `{}`, "the server answered 200 OK: {}", 0)
}

func TestAddressIsChecked(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "readout.example.org", "ws://readout.example.org", "http://", "http://a b"} {
		if _, err := client.New(url, client.Key("")); err == nil {
			t.Errorf("%q is taken", url)
		}
	}
}
