package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// newKey makes a project and returns its id and a key for all of it.
func newKey(t *testing.T, dir, name string) (project, key string) {
	t.Helper()
	project = field(t, readout(t, "project", "create", name, "--owner", "ada@example.org", "--data-dir", dir), "project")
	created := readout(t, "key", "create", "--project", project, "--scopes", "ingest,read", "--data-dir", dir)
	at := strings.Index(created, "rd_prj_")
	if at < 0 {
		t.Fatalf("no key in %q", created)
	}
	return project, strings.Fields(created[at:])[0]
}

// export returns all that a key may read, as text.
func export(t *testing.T, url, key, query string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/export"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("export: %s, %v: %.200s", resp.Status, err, text)
	}
	return string(text)
}

// What is imported, packed and exported is the same text; verify finds nothing in it, and a planted fault.
func TestExportComesBackByteForByte(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	p := serve(t, "127.0.0.1:0", dir)
	readout(t, "user", "create", "ada@example.org", "--generate", "--data-dir", dir)
	var text strings.Builder
	text.WriteString("device,metric,labels,unit,time,value\n")
	start := time.Now().UTC().AddDate(0, 0, -3).Truncate(24 * time.Hour)
	for i := range 3000 {
		for s := range 7 {
			at := start.Add(time.Duration(i)*time.Minute + time.Duration(s)*1001*time.Microsecond)
			labels := []string{"{}", `"{""room"":""2 \""b\""""}"`}[s%2]
			fmt.Fprintf(&text, "\"boiler, %d\",temperature,%s,Cel,%s,%d.%d\n", s/2, labels, at.Format(time.RFC3339Nano), i%50-25, 1+i%9)
		}
	}
	file := filepath.Join(t.TempDir(), "readings.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text.String())
	project, key := newKey(t, dir, "one")
	bring := func(key string) {
		t.Helper()
		summary := readout(t, "import", file, "--url", p.url, "--key", key, "--json", "--batch", "700")
		if !strings.Contains(summary, `"sent":21000,"accepted":21000,`) {
			t.Fatal(summary)
		}
	}
	bring(key)
	first := export(t, p.url, key, "")
	if n := strings.Count(first, "\n"); n != 21001 {
		t.Fatalf("%d lines", n)
	}
	readout(t, "pack", "--settle", "--data-dir", dir)
	if packed := export(t, p.url, key, ""); packed != first {
		t.Error("packed, the export is another")
	}
	write(first)
	_, other := newKey(t, dir, "two")
	bring(other)
	if again := export(t, p.url, other, ""); again != first {
		t.Error("what was exported and imported is exported otherwise")
	}
	if lines := export(t, p.url, other, "?format=ndjson&metric=temperature&from=-30d"); strings.Count(lines, "\n") != 21000 {
		t.Errorf("%d lines of NDJSON", strings.Count(lines, "\n"))
	}

	var stats struct {
		Projects []struct {
			Readings        int64
			BytesPerReading float64
		}
	}
	if err := json.Unmarshal([]byte(readout(t, "stats", "--json", "--data-dir", dir)), &stats); err != nil || len(stats.Projects) != 2 ||
		stats.Projects[0].Readings != 21000 || stats.Projects[0].BytesPerReading < 1 || stats.Projects[0].BytesPerReading > 60 {
		t.Errorf("stats %+v, %v", stats, err)
	}
	readout(t, "pack", "--settle", "--month", "--data-dir", dir)
	if well := readout(t, "verify", "--data-dir", dir); !strings.HasPrefix(well, "all is well: ") {
		t.Error(well)
	}
	if again := export(t, p.url, other, ""); again != first {
		t.Error("settled, the export is another")
	}
	conn, err := pgx.Connect(t.Context(), fmt.Sprintf("host=%s user=readout dbname=readout", filepath.Join(dir, "run")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), `update chunk set count = count + 1`); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "verify", "--json", "--project", project, "--data-dir", dir)
	cmd.Env = environment()
	out, err := cmd.Output()
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), `"problem":"the chunk has another count"`) {
		t.Errorf("%v: %.500s", err, out)
	}
}
