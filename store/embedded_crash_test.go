//go:build linux

package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/internal/fault"
)

// childDir names the data folder in the environment of a test binary that is run again as the child of a test.
const childDir = "READOUT_TEST_CHILD_DIR"

// TestChildThatIsKilled is the child of the tests below and does nothing in an ordinary run: it starts a server, says
// its URL and waits to be killed.
func TestChildThatIsKilled(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		return
	}
	e, err := StartEmbedded(t.Context(), EmbeddedConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("URL", e.URL())
	select {}
}

// startChild runs the child on dir and returns its process and the URL of its server.
func startChild(t *testing.T, dir string) (*osexec.Cmd, string) {
	t.Helper()
	cmd := osexec.Command(os.Args[0], "-test.run=^TestChildThatIsKilled$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "URL "); ok {
			return cmd, url
		}
	}
	t.Fatal("the child has started no server")
	return nil, ""
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestServerEndsWithItsKilledParent(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	child, url := startChild(t, dir)
	_, err := StartEmbedded(t.Context(), EmbeddedConfig{Dir: dir})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Of(err).Message, strconv.Itoa(child.Process.Pid)) {
		t.Errorf("a start beside the child: %v, want a conflict with process %d", err, child.Process.Pid)
	}
	execSQL(t, url, `create table kept as select 7 as n`)
	kill(t, child.Process.Pid)
	_ = child.Wait()
	if !gone(t.Context(), filepath.Join(dir, "postgres"), 10*time.Second) {
		t.Fatal("the server outlives its killed parent")
	}
	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	if got := queryText(t, e.URL(), `select n::text from kept`); got != "7" {
		t.Errorf("after the crash the table holds %q", got)
	}
}

func TestStartRightAfterKillNeedsNoWaiting(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	for range 3 {
		child, url := startChild(t, dir)
		execSQL(t, url, `create table if not exists kept as select 7 as n`)
		kill(t, child.Process.Pid)
		_ = child.Wait()
	}
	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	if got := queryText(t, e.URL(), `select n::text from kept`); got != "7" {
		t.Errorf("after three crashes the table holds %q", got)
	}
}

func TestOrphanIsStoppedAndReplaced(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	stop(t, startEmbedded(t, EmbeddedConfig{Dir: dir}))
	pid := startOrphan(t, dir)
	url, ok := FindRunning(dir)
	if !ok {
		t.Fatal("the orphan is not found")
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())

	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	if got := e.proc.cmd.Process.Pid; got == pid {
		t.Error("the orphan was adopted")
	}
	if err := syscall.Kill(pid, 0); err == nil {
		t.Errorf("the orphan %d is still alive", pid)
	}
	if got := queryText(t, e.URL(), `select 'alive'`); got != "alive" {
		t.Errorf("the new server answers %q", got)
	}
	if log := e.output.Tail(); !strings.Contains(log, "database system was shut down at") {
		t.Errorf("the orphan was not stopped cleanly; the new server says\n%s", log)
	}
}

func TestServerThatDoesNotStopIsStoppedHard(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	execSQL(t, e.URL(), `create table kept as select 7 as n`)
	conn, err := pgx.Connect(t.Context(), e.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := syscall.Kill(int(conn.PgConn().PID()), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	e = startEmbedded(t, EmbeddedConfig{Dir: dir})
	if got := queryText(t, e.URL(), `select n::text from kept`); got != "7" {
		t.Errorf("after a hard stop the table holds %q", got)
	}
}

// startOrphan starts a server on the cluster in dir that nobody looks after, and returns its process.
func startOrphan(t *testing.T, dir string) int {
	t.Helper()
	data := filepath.Join(dir, "postgres")
	user, err := serverUser()
	if err != nil {
		t.Fatal(err)
	}
	inst, err := chooseInstall(t.Context(), EmbeddedConfig{Cache: t.TempDir()}, data)
	if err != nil {
		t.Fatal(err)
	}
	sockets, err := makeSocketDir(dir, user)
	if err != nil {
		t.Fatal(err)
	}
	cmd := osexec.Command(inst.program("postgres"), append([]string{"-D", data}, serverFlags(nil, sockets)...)...)
	cmd.SysProcAttr = childAttr(user)
	cmd.SysProcAttr.Pdeathsig = 0
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// An orphan's parent, the system's first process, takes its end from it.
	go func() { _ = cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, ok := FindRunning(dir); ok {
			return cmd.Process.Pid
		}
		if time.Now().After(deadline) {
			t.Fatal("the orphan does not start")
		}
	}
}

func TestServersOwnDeathIsReportedAndRecoveredFrom(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	execSQL(t, e.URL(), `create table kept as select 7 as n`)
	conn, err := pgx.Connect(t.Context(), e.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	// A backend that computes does not notice the server's death, and PostgreSQL would not start beside it.
	backend := conn.PgConn().PID()
	if _, err := conn.Exec(t.Context(), `set statement_timeout = '1min'`); err != nil { // should this test be cut short
		t.Fatal(err)
	}
	conn.PgConn().Exec(t.Context(), `do $$ begin loop perform 1; end loop; end $$`)
	active := fmt.Sprintf(`select (state = 'active')::text from pg_stat_activity where pid = %d`, backend)
	for queryText(t, e.URL(), active) != "true" {
		time.Sleep(time.Millisecond)
	}
	kill(t, e.proc.cmd.Process.Pid)
	select {
	case <-e.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the server's death is not reported")
	}
	if url, ok := FindRunning(dir); ok {
		t.Errorf("a dead server is found at %s", url)
	}
	_, err = StartEmbedded(t.Context(), EmbeddedConfig{Dir: dir})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a start before Stop: %v, want a conflict", err)
	}
	stop(t, e)
	if !isServer(int(backend), filepath.Join(dir, "postgres")) {
		t.Error("the backend has ended by itself: this test no longer tests what it should")
	}
	e = startEmbedded(t, EmbeddedConfig{Dir: dir})
	if got := queryText(t, e.URL(), `select n::text from kept`); got != "7" {
		t.Errorf("after the crash the table holds %q", got)
	}
}

func TestStalePIDOfAnotherProcessIsNoObstacle(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	e := startEmbedded(t, EmbeddedConfig{Dir: dir})
	file := filepath.Join(dir, "postgres", "postmaster.pid")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, e)
	// In a restarted container the number may belong to another program of the same user: PostgreSQL itself would not
	// start.
	user, err := serverUser()
	if err != nil {
		t.Fatal(err)
	}
	other := osexec.Command("/bin/sleep", "600")
	other.SysProcAttr = childAttr(user)
	other.SysProcAttr.Pdeathsig = 0 // its thread may end before the test
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = other.Wait()
	}()
	_, rest, _ := strings.Cut(string(b), "\n")
	if err := os.WriteFile(file, []byte(strconv.Itoa(other.Process.Pid)+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	if url, ok := FindRunning(dir); ok {
		t.Errorf("a server is found at %s", url)
	}
	startEmbedded(t, EmbeddedConfig{Dir: dir})
	select {
	case <-ended:
		t.Error("the other program was stopped")
	default:
	}
	_ = other.Process.Kill()
	<-ended
}
