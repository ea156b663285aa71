package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// contentTypes holds the types of all that a build emits. Not mime.TypeByExtension: it reads the host's tables.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".md":   "text/markdown; charset=utf-8",
	".svg":  "image/svg+xml",
}

// asset is one file of dist, ready to be sent.
type asset struct {
	contentType string
	tag         string // the digest of body, without quotes
	body        []byte
	zipped      func() []byte // body in gzip, made when it is first asked for
}

// load reads every file below root, by its path from there. It panics where that fails: the files are in the binary, and
// the tests have read them.
func load(files fs.FS, root string) map[string]*asset {
	assets := map[string]*asset{}
	err := fs.WalkDir(files, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		assets[strings.TrimPrefix(name, root+"/")] = newAsset(name, body)
		return err
	})
	if err != nil {
		panic(err)
	}
	return assets
}

func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	return &asset{
		contentType: contentTypes[path.Ext(name)],
		tag:         hex.EncodeToString(sum[:12]),
		body:        body,
		zipped:      sync.OnceValue(func() []byte { return compress(body) }),
	}
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "no-cache") // keep it, but ask each time whether it is still so
	h.Set("Vary", "Accept-Encoding")

	body, tag := a.body, a.tag
	if takesGzip(r.Header.Values("Accept-Encoding")) {
		body, tag = a.zipped(), a.tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	// Neither a valid level nor a buffer can fail.
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes()
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3): gzip by name or, where it is not named, by *; weight 0
// means no.
func takesGzip(accept []string) bool {
	star := false
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip":
			return positive(params)
		case "*":
			star = positive(params)
		}
	}
	return star
}

// positive says whether the weight in params ("q=0.5", or none) is above 0.
func positive(params string) bool {
	key, value, ok := strings.Cut(strings.TrimSpace(params), "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(key), "q") {
		return true
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	return err == nil && q > 0
}
