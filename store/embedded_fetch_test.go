package store

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
)

// repository serves a PostgreSQL as a Maven repository does: a .jar with an archive, and its checksum beside it.
//
// testdata/postgres.txz holds bin/postgres and bin/initdb, which are shell scripts that know nothing but a version, and
// a symlink lib/libpq.so.5: tar -cJf postgres.txz bin lib share.
func repository(t *testing.T, checksum func(jar []byte) string) *httptest.Server {
	t.Helper()
	archive, err := os.ReadFile(filepath.Join("testdata", "postgres.txz"))
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	w, err := z.Create("postgres-linux-x86_64.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(archive); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, version := r.URL.Path, "-"+string(fetchVersion)+".jar"
		switch {
		case !strings.HasPrefix(path, "/io/zonky/test/postgres/embedded-postgres-binaries-"):
			http.NotFound(w, r)
		case strings.HasSuffix(path, version):
			_, _ = w.Write(jar.Bytes())
		case strings.HasSuffix(path, version+".sha256"):
			_, _ = w.Write([]byte(checksum(jar.Bytes())))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

func rightChecksum(jar []byte) string {
	sum := sha256.Sum256(jar)
	return hex.EncodeToString(sum[:])
}

// nowhere is a list of folders in which no PostgreSQL is installed.
func nowhere(t *testing.T) []string {
	t.Helper()
	return []string{t.TempDir()}
}

func TestMissingPostgresIsFetchedOnce(t *testing.T) {
	t.Parallel()
	srv := repository(t, rightChecksum)
	cache := filepath.Join(dataDir(t), "cache")
	var progress []string
	cfg := EmbeddedConfig{Cache: cache, repository: srv.URL, search: nowhere(t), Progress: func(s string) { progress = append(progress, s) }}
	for range 2 {
		got, err := chooseInstall(t.Context(), cfg, filepath.Join(t.TempDir(), "postgres"))
		if err != nil {
			t.Fatal(err)
		}
		if got.version() != "18.3" || got.bin != fetchedBin(cache) {
			t.Errorf("fetched: %+v", got)
		}
		srv.Close() // the second time nothing is fetched
	}
	if len(progress) != 1 || !strings.Contains(progress[0], "fetching PostgreSQL 18") {
		t.Errorf("progress is %q", progress)
	}
	lib, err := os.ReadFile(filepath.Join(fetchedDir(cache), "lib", "libpq.so.5"))
	if err != nil || string(lib) != "lib\n" {
		t.Errorf("the library behind the symlink is %q (%v)", lib, err)
	}
	if entries := listing(t, cache); strings.Contains(entries, "fetch-") {
		t.Errorf("left in the cache:\n%s", entries)
	}
}

func TestFetchedPostgresServesItsClusterOnly(t *testing.T) {
	t.Parallel()
	srv := repository(t, rightChecksum)
	f := func(pgVersion string, want fault.Code) {
		t.Helper()
		data := t.TempDir()
		writeFile(t, filepath.Join(data, "PG_VERSION"), pgVersion)
		cfg := EmbeddedConfig{Cache: t.TempDir(), repository: srv.URL, search: nowhere(t), Progress: func(string) {}}
		got, err := chooseInstall(t.Context(), cfg, data)
		if want == "" && (err != nil || got.major != fetchMajor) || want != "" && !fault.Is(err, want) {
			t.Errorf("for a cluster of PostgreSQL %s: %+v, %v; want %q", pgVersion, got, err, want)
		}
	}
	f("18", "")
	f("17", fault.Conflict)
	f("rubbish", fault.Invalid)
}

func TestFetchByManyAtOnceIsWhole(t *testing.T) {
	t.Parallel()
	srv := repository(t, rightChecksum)
	cache := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := fetch(t.Context(), srv.URL, cache, func(string) {}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestFailedFetchSaysHowToInstall(t *testing.T) {
	t.Parallel()
	f := func(name, url string) {
		t.Helper()
		cache := t.TempDir()
		_, err := fetch(t.Context(), url, cache, func(string) {})
		msg := fault.Of(err).Message
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(msg, "nstall") || !strings.Contains(msg, "READOUT_DATABASE_URL") {
			t.Errorf("%s: %v", name, err)
		}
		if entries, _ := os.ReadDir(cache); len(entries) != 0 {
			t.Errorf("%s: left in the cache: %v", name, entries)
		}
	}
	wrong := repository(t, func([]byte) string { return strings.Repeat("0", 64) })
	f("a wrong checksum", wrong.URL)
	f("an unknown version", wrong.URL+"/elsewhere")
	gone := repository(t, rightChecksum)
	gone.Close()
	f("no server", gone.URL)
}

func TestFetchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-release
	}))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	cache, err := os.MkdirTemp("", "readout-cache-") // not t.TempDir: the download runs out after the test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(cache) })
	if _, err := fetch(ctx, slow.URL, cache, func(string) {}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("fetch: %v, want unavailable", err)
	}
}
