// Package web holds what a browser shows: the playground, GraphiQL with a place for the credential.
//
// It owns the npm project in this folder and serves what Vite made of it (dist, committed, so that `go build` needs no
// Node). It knows nothing of GraphQL or of who may do what: the page talks to /graphql and /auth/login like any other
// client. Start at Playground below, or at src/Playground.tsx for the page itself.
//
// After a change under src: `npm ci && npm run build`, and commit dist with it. `npm test` drives the page of a running
// server in Chromium; test/playground.mjs says how.
package web

import (
	"embed"
	"net/http"
	"strings"
)

//go:embed all:dist
var dist embed.FS

//go:embed src/examples.graphql
var examples string

// Examples returns the operations that the first tab of the playground opens with, as one GraphQL document.
func Examples() string { return examples }

// policy lets the page load and reach its own origin alone. The inline styles are those that the editor sets on its
// elements; frames, forms and everything unnamed are shut.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Playground serves the page at /playground and its assets below, to GET and HEAD. Other methods get 405 and unknown
// paths 404, in plain text. Assets are revalidated by ETag each time and sent gzipped to whoever takes it; a rebuilt
// server is thus seen at once. The handler is safe for concurrent use; it needs no credential, since it has no data.
func Playground() http.Handler {
	assets := load(dist, "dist")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")

		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "405 the playground takes GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		a, ok := assets[assetName(r.URL.Path)]
		if !ok {
			http.Error(w, "404 the playground has no such file", http.StatusNotFound)
			return
		}
		a.serve(w, r)
	})
}

// assetName maps a path of a URL to a name in dist; paths outside /playground map to no asset's name.
func assetName(path string) string {
	switch rest, ok := strings.CutPrefix(path, "/playground"); {
	case !ok:
		return ""
	case rest == "" || rest == "/":
		return "index.html"
	case rest[0] != '/':
		return ""
	default:
		return rest[1:]
	}
}
