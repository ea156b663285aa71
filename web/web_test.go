package web_test

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/readout-dev/readout/web"
)

// get asks the playground for path with headers given as "Name: value".
func get(t *testing.T, path string, headers ...string) *http.Response {
	t.Helper()
	return ask(t, http.MethodGet, path, headers...)
}

func ask(t *testing.T, method, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	web.Playground().ServeHTTP(w, r)
	return w.Result()
}

func read(t *testing.T, r io.Reader) string {
	t.Helper()
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestPlaygroundServesThePageWithAndWithoutSlash(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/playground", "/playground/", "/playground/index.html"} {
		res := get(t, path)
		if body := read(t, res.Body); res.StatusCode != http.StatusOK || !strings.Contains(body, `<div id="root">`) {
			t.Errorf("%s: %d %.60q", path, res.StatusCode, body)
		}
		if got := res.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s: Content-Type %q", path, got)
		}
	}
}

func TestPlaygroundServesEveryFileOfDistWithItsType(t *testing.T) {
	t.Parallel()
	dist := os.DirFS("dist")
	err := fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		want, err := fs.ReadFile(dist, name)
		res := get(t, "/playground/"+name)
		if got := read(t, res.Body); res.StatusCode != http.StatusOK || got != string(want) {
			t.Errorf("%s: %d, %d bytes, want %d", name, res.StatusCode, len(got), len(want))
		}
		if res.Header.Get("Content-Type") == "" {
			t.Errorf("%s has no content type", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPageRefersOnlyToFilesThatAreServed(t *testing.T) {
	t.Parallel()
	page := read(t, get(t, "/playground").Body)
	refs := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(refs) < 3 {
		t.Fatalf("script, style and icon expected, found %q", refs)
	}
	for _, ref := range refs {
		if res := get(t, ref[1]); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", ref[1], res.StatusCode)
		}
	}
}

func TestPageHasNoInlineScript(t *testing.T) {
	t.Parallel()
	page := read(t, get(t, "/playground").Body)
	for _, script := range regexp.MustCompile(`(?s)<script[^>]*>(.*?)</script>`).FindAllStringSubmatch(page, -1) {
		if strings.TrimSpace(script[1]) != "" {
			t.Errorf("the policy would refuse %q", script[0])
		}
	}
}

func TestPlaygroundDoesNotServeWhatItDoesNotHave(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/", "/playgrounds", "/playgroundxindex.html", "/playground/none.js", "/playground//index.html", "/playground/../web.go",
		"/playground/%2e%2e/web.go", "/playground/playground.js/", "/index.html",
	} {
		if res := get(t, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

func TestPlaygroundTakesOnlyGetAndHead(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"} {
		res := ask(t, method, "/playground")
		if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, res.StatusCode, res.Header.Get("Allow"))
		}
	}
	res := ask(t, http.MethodHead, "/playground")
	if body := read(t, res.Body); res.StatusCode != http.StatusOK || body != "" || res.ContentLength <= 0 {
		t.Errorf("HEAD: %d, length %d, body %q", res.StatusCode, res.ContentLength, body)
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	for _, res := range []*http.Response{
		get(t, "/playground"), get(t, "/playground/playground.js"), get(t, "/playground/none"), ask(t, "POST", "/playground"),
	} {
		policy := res.Header.Get("Content-Security-Policy")
		for _, directive := range []string{
			"default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'none'",
		} {
			if !strings.Contains(policy+";", directive+";") {
				t.Errorf("%d: no %s in %q", res.StatusCode, directive, policy)
			}
		}
		if got := res.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%d: X-Content-Type-Options %q", res.StatusCode, got)
		}
		if got := res.Header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("%d: Referrer-Policy %q", res.StatusCode, got)
		}
	}
}

func TestKnownAssetIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"identity", "gzip"} {
		first := get(t, "/playground/playground.js", "Accept-Encoding: "+encoding)
		tag := first.Header.Get("ETag")
		again := get(t, "/playground/playground.js", "Accept-Encoding: "+encoding, "If-None-Match: "+tag)
		if body := read(t, again.Body); again.StatusCode != http.StatusNotModified || body != "" {
			t.Errorf("%s: %d with %d bytes", encoding, again.StatusCode, len(body))
		}
		if got := first.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control %q", encoding, got)
		}
	}
	other := get(t, "/playground/playground.css").Header.Get("ETag")
	if res := get(t, "/playground/playground.js", "If-None-Match: "+other); res.StatusCode != http.StatusOK {
		t.Errorf("another file's tag: %d", res.StatusCode)
	}
}

func TestGzipIsSentToWhoeverTakesIt(t *testing.T) {
	t.Parallel()
	plain := get(t, "/playground/playground.css")
	want, plainTag := read(t, plain.Body), plain.Header.Get("ETag")

	f := func(accept string, zipped bool) {
		t.Helper()
		res := get(t, "/playground/playground.css", "Accept-Encoding: "+accept)
		if got := res.Header.Get("Content-Encoding") == "gzip"; got != zipped {
			t.Errorf("%q: gzip %v, want %v", accept, got, zipped)
			return
		}
		if got := res.Header.Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("%q: Vary %q", accept, got)
		}
		if (res.Header.Get("ETag") != plainTag) != zipped {
			t.Errorf("%q: ETag %s, plain %s: two encodings are two representations", accept, res.Header.Get("ETag"), plainTag)
		}
		body := io.Reader(res.Body)
		if zipped {
			z, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		if read(t, body) != want {
			t.Errorf("%q: another body", accept)
		}
	}
	f("gzip", true)
	f("br, GZIP;q=0.8, *;q=0.1", true)
	f("*", true)
	f("gzip;q=1.0, identity", true)
	f("", false)
	f("br", false)
	f("gzip;q=0", false)
	f("*, gzip; q=0", false)
	f("*;q=0", false)
	f("x-gzippy", false)
}

func TestPlaygroundServesManyAtOnce(t *testing.T) {
	t.Parallel()
	handler := web.Playground()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			r := httptest.NewRequest(http.MethodGet, "/playground/playground.js", http.NoBody)
			r.Header.Set("Accept-Encoding", "gzip")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != http.StatusOK || w.Body.Len() == 0 {
				t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
			}
		})
	}
	all.Wait()
}

func TestDistStaysLean(t *testing.T) {
	t.Parallel()
	total := int64(0)
	err := filepath.WalkDir("dist", func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && !info.IsDir() {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if limit := int64(2 << 20); total > limit {
		t.Errorf("dist is %d bytes, above %d: what came in?", total, limit)
	}
}

func TestExamplesHoldTheFourOperationsOfTheFirstTab(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"query Devices", "query History", "mutation CreateDevice", "subscription Live"} {
		if !strings.Contains(web.Examples(), "\n"+operation+" {") {
			t.Errorf("no %q", operation)
		}
	}
}
