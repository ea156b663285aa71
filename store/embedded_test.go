package store

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/internal/fault"
)

func TestEmbeddedServerKeepsItsDataAcrossRestarts(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	var progress []string
	e := startEmbedded(t, EmbeddedConfig{Dir: dir, Progress: func(s string) { progress = append(progress, s) }})
	if len(progress) != 1 || !strings.Contains(progress[0], "making a new PostgreSQL "+e.Version()) {
		t.Errorf("progress of the first start is %q", progress)
	}
	if _, ok := FindRunning(t.TempDir()); ok {
		t.Error("a server is found on an empty folder")
	}
	found, ok := FindRunning(dir)
	if !ok || found != e.URL() {
		t.Errorf("the running server is found: %v at %q, want %q", ok, found, e.URL())
	}
	execSQL(t, found, `create table kept as select 7 as n`)
	stop(t, e)
	if url, ok := FindRunning(dir); ok {
		t.Errorf("a stopped server is found at %s", url)
	}

	e = startEmbedded(t, EmbeddedConfig{Dir: dir})
	if got := queryText(t, e.URL(), `select n::text from kept`); got != "7" {
		t.Errorf("after a restart the table holds %q", got)
	}
	select {
	case <-e.Done():
		t.Error("the server is reported dead while it runs")
	default:
	}
}

func TestEmbeddedServerIsDurableWhateverItsFilesSay(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		execSQL(t, e.URL(), `alter system set `+name+` = off`)
	}
	stop(t, e)
	e = startEmbedded(t, EmbeddedConfig{Dir: dir})
	for name, want := range map[string]string{
		"fsync":                   "on",
		"full_page_writes":        "on",
		"synchronous_commit":      "on",
		"data_checksums":          "on",
		"listen_addresses":        "",
		"unix_socket_permissions": "0700",
		"wal_level":               "minimal",
		"jit":                     "off",
		"max_connections":         "64",
		"server_encoding":         "UTF8",
		"lc_collate":              "C",
		"timezone":                "UTC",
		"log_min_error_statement": "panic",
	} {
		// lc_collate is a property of the database since PostgreSQL 16.
		if name == "lc_collate" {
			if got := queryText(t, e.URL(), `select datcollate from pg_database where datname = current_database()`); got != want {
				t.Errorf("the database's collation is %q, want %q", got, want)
			}
			continue
		}
		if got := queryText(t, e.URL(), `select current_setting('`+name+`')`); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestEmbeddedServerIsOpenToItsUserAlone(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	startEmbedded(t, EmbeddedConfig{Dir: dir})
	user, err := serverUser()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgres", "run"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if uid, _ := ownerOf(info); uid != user.uid || info.Mode().Perm() != 0o700 {
			t.Errorf("%s belongs to %d with mode %v, want %d and 0700", name, uid, info.Mode().Perm(), user.uid)
		}
	}
}

func TestSecondStartOnAFolderIsRefused(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	link := filepath.Join(dataDir(t), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, link} {
		_, err := StartEmbedded(t.Context(), EmbeddedConfig{Dir: name})
		if !fault.Is(err, fault.Conflict) {
			t.Fatalf("a second start on %s: %v, want a conflict", name, err)
		}
		for _, want := range []string{dir, strconv.Itoa(os.Getpid()), "--data-dir"} {
			if msg := fault.Of(err).Message; !strings.Contains(msg, want) {
				t.Errorf("the message %q does not say %q", msg, want)
			}
		}
	}
	if got := queryText(t, e.URL(), `select 'alive'`); got != "alive" {
		t.Errorf("the first server answers %q", got)
	}
}

func TestEmbeddedServersDoNotMeet(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			e := startEmbedded(t, EmbeddedConfig{Dir: dataDir(t)})
			execSQL(t, e.URL(), `create table only_here ()`)
		})
	}
	wg.Wait()
}

func TestServerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	_, err := StartEmbedded(t.Context(), EmbeddedConfig{Dir: dir, Settings: map[string]string{"work_mem": "nonsense"}})
	if err == nil || !strings.Contains(err.Error(), `invalid value for parameter "work_mem"`) {
		t.Errorf("the error does not quote the server: %v", err)
	}
	// The folder is free again.
	startEmbedded(t, EmbeddedConfig{Dir: dir})
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	dir := dataDir(t)
	_, err := StartEmbedded(ctx, EmbeddedConfig{Dir: dir, Progress: func(string) { cancel() }})
	if err == nil {
		t.Fatal("the start succeeds although its context has ended")
	}
	// What the interrupted initdb left does not stand in the way.
	startEmbedded(t, EmbeddedConfig{Dir: dir})
}

func TestStopDoesNotWaitForClients(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	execSQL(t, e.URL(), `create table kept as select 7 as n`)
	conn, err := pgx.Connect(t.Context(), e.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `begin; lock table kept`); err != nil {
		t.Fatal(err)
	}
	stop(t, e)
	if _, err := conn.Exec(t.Context(), `commit`); !IsConnection(err) {
		t.Errorf("a client of the stopped server gets %v, want a lost connection", err)
	}
}

func TestStopAfterItsContextIsHardAndLosesNothing(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	execSQL(t, e.URL(), `create table kept as select 7 as n`)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Stop(over); err != nil {
		t.Fatal(err)
	}
	if err := e.Stop(over); err != nil {
		t.Errorf("a second stop: %v", err)
	}
	e = startEmbedded(t, EmbeddedConfig{Dir: dir})
	if got := queryText(t, e.URL(), `select n::text from kept`); got != "7" {
		t.Errorf("after a hard stop the table holds %q", got)
	}
}

func TestClusterOfAnotherVersionIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"13\n": "needs 15 or newer", "99\n": "install PostgreSQL 99"} {
		dir := dataDir(t)
		data := filepath.Join(dir, "postgres")
		writeFile(t, filepath.Join(data, "PG_VERSION"), version)
		writeFile(t, filepath.Join(data, "base", "1"), "precious")
		before := listing(t, data)
		_, err := StartEmbedded(t.Context(), EmbeddedConfig{Dir: dir, Cache: t.TempDir()})
		if !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Of(err).Message, want) {
			t.Errorf("a cluster of version %q: %v, want a conflict that says %q", version, err, want)
		}
		if after := listing(t, data); after != before {
			t.Errorf("the folder was\n%s and is\n%s", before, after)
		}
	}
}

func TestFolderOfOtherThingsIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	data := filepath.Join(dir, "postgres")
	writeFile(t, filepath.Join(data, "photo.jpg"), "precious")
	before := listing(t, data)
	_, err := StartEmbedded(t.Context(), EmbeddedConfig{Dir: dir})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Of(err).Message, "no PostgreSQL cluster") {
		t.Errorf("a folder of other things: %v, want invalid", err)
	}
	if after := listing(t, data); after != before {
		t.Errorf("the folder was\n%s and is\n%s", before, after)
	}
}

func TestUnfinishedClusterIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	writeFile(t, filepath.Join(dir, "postgres.new", "PG_VERSION"), "15\n")
	startEmbedded(t, EmbeddedConfig{Dir: dir})
}

func TestLongFolderHasItsSocketElsewhere(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(dataDir(t), strings.Repeat("long", 25))
	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	if got := queryText(t, e.URL(), `select 'alive'`); got != "alive" {
		t.Errorf("the server answers %q", got)
	}
	if found, ok := FindRunning(dir); !ok || found != e.URL() {
		t.Errorf("the running server is found: %v at %q, want %q", ok, found, e.URL())
	}
}

func TestSharedSocketFolderOfSomebodyElseIsRefused(t *testing.T) {
	t.Parallel()
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := makeShared(open); err != nil {
		t.Errorf("our own folder is refused: %v", err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("/etc", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{open, link, "/dev/null"} {
		if err := makeShared(path); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", path, err)
		}
	}
}

func TestClosedParentIsNamed(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	inner := filepath.Join(dir, "closed", "inner")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	stranger := account{name: "postgres", uid: 54321, gid: 54321, differs: true}
	if err := checkEnter(inner, stranger, "pass another --data-dir"); err != nil {
		t.Errorf("an open folder is refused: %v", err)
	}
	if err := os.Chmod(filepath.Join(dir, "closed"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := checkEnter(inner, stranger, "pass another --data-dir")
	want := "the user postgres, who cannot enter " + filepath.Join(dir, "closed") + "; pass another --data-dir"
	if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Of(err).Message, want) {
		t.Errorf("a closed folder: %v, want %q", err, want)
	}
	self := account{uid: uint32(os.Geteuid())}
	if err := checkEnter(inner, self, ""); err != nil {
		t.Errorf("our own folder is refused: %v", err)
	}
}
