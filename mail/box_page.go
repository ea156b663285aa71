package mail

import (
	"encoding/json"
	"html/template"
	"net"
	"net/http"
	"regexp"
	"strings"
)

// ServeHTTP shows the messages, newest first: to a browser as a page, to others as JSON, an array of {to, subject, text, at}.
// They hold links that log people in, so only this machine is answered, under a name of its own; others find nothing.
func (b *Box) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !fromHere(r) {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept")
	h.Set("X-Content-Type-Options", "nosniff")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(append([]Kept{}, b.Messages()...)) // [], not null
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	_ = page.Execute(w, b.Messages())
}

// fromHere looks at the name that was asked for, too: a page of elsewhere may have its own name lead here.
func fromHere(r *http.Request) bool {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !isLoopback(peer) {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return isLoopback(strings.Trim(host, "[]"))
}

// part is a piece of a text; URL is set where it is a link.
type part struct{ Text, URL string }

var link = regexp.MustCompile(`https?://[^\s<>"]+`)

func parts(text string) []part {
	var all []part
	end := 0
	for _, at := range link.FindAllStringIndex(text, -1) {
		all = append(all, part{Text: text[end:at[0]]}, part{text[at[0]:at[1]], text[at[0]:at[1]]})
		end = at[1]
	}
	return append(all, part{Text: text[end:]})
}

var page = template.Must(template.New("box").Funcs(template.FuncMap{"parts": parts}).Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mail · Readout</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
  article { border: 1px solid #8886; border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
  h2 { font-size: 1.1rem; margin: 0; }
  p { margin: 0 0 .5rem; opacity: .7; }
  pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
</style>
</head>
<body>
<h1>Mail</h1>
<p>What would have been sent, newest first. It is kept in memory only.</p>
{{range .}}<article>
<h2>{{.Subject}}</h2>
<p>to {{.To}}, <time>{{.At.Format "2006-01-02 15:04:05"}} UTC</time></p>
<pre>{{range parts .Text}}{{if .URL}}<a href="{{.URL}}">{{.Text}}</a>{{else}}{{.Text}}{{end}}{{end}}</pre>
</article>
{{else}}<p>Nothing yet.</p>
{{end}}</body>
</html>
`))
