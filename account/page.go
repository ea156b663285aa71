package account

import (
	"embed"
	"net/http"
	"path"
)

// The page that links in letters lead to. It posts the link's token to the endpoints: what only looks at a link, as mail
// scanners do, uses nothing up.
const (
	linkPath   = "/auth/link"
	scriptPath = "/auth/link.js"
)

//go:embed page
var pageFiles embed.FS

// servePage answers GET /auth/link and /auth/link.js.
func servePage(w http.ResponseWriter, r *http.Request) error {
	file := "page/" + path.Base(r.URL.Path)
	if r.URL.Path == linkPath {
		file += ".html"
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, pageFiles, file)
	return nil
}
