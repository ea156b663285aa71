package graph_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/auth"
)

// A browser sends its cookies whatever page has it send something: only what comes from a page of ours counts.
func TestCookieIsGoodForPagesOfOursAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.login("browser", "viewer")
	cookie := auth.AccessCookie + "=" + w.who["browser"]
	for name, c := range map[string]struct {
		header, value string
		admitted      bool
	}{
		"a page of ours":         {"Sec-Fetch-Site", "same-origin", true},
		"the address bar":        {"Sec-Fetch-Site", "none", true},
		"another site":           {"Sec-Fetch-Site", "cross-site", false},
		"a neighbour":            {"Sec-Fetch-Site", "same-site", false},
		"an old browser, ours":   {"Origin", w.url, true},
		"an old browser, theirs": {"Origin", "https://evil.example", false},
	} {
		headers := http.Header{"Cookie": {cookie}, c.header: {c.value}}
		for method, address := range map[string]string{
			http.MethodGet: w.url + "?query=" + url.QueryEscape("{ me { name } }"), http.MethodPost: w.url,
		} {
			r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(`{"query": "{ me { name } }"}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = headers.Clone()
			r.Header.Set("Content-Type", "application/json")
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if (resp.StatusCode == http.StatusOK) != c.admitted || !c.admitted && resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s by %s: got %d", name, method, resp.StatusCode)
			}
		}
		if got := w.socketBy(headers); (got == "connection_ack") != c.admitted {
			t.Errorf("%s, a socket: %s", name, got)
		}
	}
}

// socketBy opens a socket by the headers of its upgrade alone, and returns what comes of it.
func (w *world) socketBy(headers http.Header) string {
	w.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.DialContext(w.t.Context(), strings.Replace(w.url, "http", "ws", 1), headers)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	defer conn.Close()
	var message struct{ Type string }
	if err := conn.WriteJSON(map[string]any{"type": "connection_init"}); err != nil {
		return err.Error()
	}
	if err := conn.ReadJSON(&message); err != nil {
		return err.Error()
	}
	return message.Type
}
