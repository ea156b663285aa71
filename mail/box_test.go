package mail_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/readout-dev/readout/mail"
)

// ask sends a request to b as if from peer.
func ask(t *testing.T, b *mail.Box, url, peer, accept string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	r.RemoteAddr = peer
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w.Result()
}

func TestBoxKeepsTheNewest(t *testing.T) {
	t.Parallel()
	b := new(mail.Box)
	for i := range mail.BoxSize + 5 {
		if err := b.Send(t.Context(), mail.Message{To: "ada@example.com", Subject: fmt.Sprint("No. ", i), Text: "Text"}); err != nil {
			t.Fatal(err)
		}
	}
	all := b.Messages()
	if len(all) != mail.BoxSize || all[0].Subject != "No. 104" || all[len(all)-1].Subject != "No. 5" {
		t.Errorf("%d are kept, from %s to %s", len(all), all[0].Subject, all[len(all)-1].Subject)
	}
}

func TestBoxServesJSON(t *testing.T) {
	t.Parallel()
	b := new(mail.Box)
	for want := range 2 {
		resp := ask(t, b, "http://localhost:8080/dev/mail", "127.0.0.1:5000", "*/*")
		var got []mail.Kept
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got == nil || len(got) != want {
			t.Fatalf("%d messages are served as %+v (%v)", want, got, err)
		}
		if err := b.Send(t.Context(), hello); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBoxServesAPageOnWhichNothingRunsAndLinksWork(t *testing.T) {
	t.Parallel()
	b := new(mail.Box)
	text := `<script>alert(1)</script> https://readout.example.com/verify?a=1&b=2 javascript:alert(2)`
	if err := b.Send(t.Context(), mail.Message{To: "ada@example.com", Subject: "<b>Hello</b>", Text: text}); err != nil {
		t.Fatal(err)
	}
	resp := ask(t, b, "http://127.0.0.1/dev/mail", "[::1]:5000", "text/html,*/*")
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]bool{
		"<script": false, "<b>": false, `href="javascript`: false,
		`<a href="https://readout.example.com/verify?a=1&amp;b=2">`: true,
	} {
		if strings.Contains(string(page), part) != want {
			t.Errorf("the page has %s: %t, want %t:\n%s", part, !want, want, string(page))
		}
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("the page may do what it likes: %s", csp)
	}
}

func TestBoxAnswersThisMachineOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url, peer string
		want      int
	}{
		"here":                        {"http://localhost:8080/dev/mail", "127.0.0.1:5000", http.StatusOK},
		"here, by IPv6":               {"http://[::1]:8080/dev/mail", "[::1]:5000", http.StatusOK},
		"another machine":             {"http://localhost:8080/dev/mail", "192.0.2.1:5000", http.StatusNotFound},
		"a name that somebody rebent": {"http://eve.example.com:8080/dev/mail", "127.0.0.1:5000", http.StatusNotFound},
		"no peer":                     {"http://localhost/dev/mail", "@", http.StatusNotFound},
	} {
		if got := ask(t, new(mail.Box), c.url, c.peer, "*/*").StatusCode; got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
}
