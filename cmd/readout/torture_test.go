//go:build linux

package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/readout-dev/readout/store"
)

// victim is a server under torture: gateways send to it, and it is started again whenever it dies.
type victim struct {
	t       *testing.T
	dir     string
	address string
	key     string
	server  *program
	all     []*gateway
}

// packOften makes the server pack, merge and settle all the time, so that kills hit it at that.
const packOften = "READOUT_PACK_EVERY=1s"

// jwtSecret is for those who are given a database and so need it.
const jwtSecret = "4pQz8vB1nXw7Rk3Ty6Lc9Jh2Gf5Dm0Sa"

func newVictim(t *testing.T, variables ...string) *victim {
	t.Helper()
	v := &victim{t: t, dir: dataDir(t), address: quietAddress(t)}
	v.start(variables...)
	const owner = "owner@example.org"
	readout(t, "user", "create", owner, "--generate", "--data-dir", v.dir)
	project := field(t, readout(t, "project", "create", "Torture", "--owner", owner, "--data-dir", v.dir), "project")
	v.key = field(t, readout(t, "key", "create", "--project", project, "--data-dir", v.dir), "secret")
	v.all = newGateways(v.server.url, v.key, rand.Uint64())
	return v
}

func (v *victim) start(variables ...string) {
	v.t.Helper()
	v.server = serve(v.t, v.address, v.dir, append(variables, packOften)...)
}

// quietAddress returns an address that nobody listens on, outside of the range from which the system takes the ports of
// connections: a client that keeps dialling a dead server in that range can come to be connected to itself.
func quietAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.IntN(12_000)))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// TestNothingIsLostWhenProcessesAreKilled kills the server, PostgreSQL's postmaster or one of its backends at a random
// moment, in turn, while gateways send and packing goes on; after each kill every reading that was acknowledged is
// there, once, with its last value, and nothing else is. READOUT_TORTURE_ROUNDS sets how many times.
func TestNothingIsLostWhenProcessesAreKilled(t *testing.T) {
	t.Parallel()
	rounds := tortureRounds(t)
	v := newVictim(t)
	kills := []struct {
		what string
		kill func()
	}{
		{"server", v.killServer},
		{"postmaster", v.killPostmaster},
		{"backend", v.killBackend},
	}
	var busy time.Duration
	for round := 1; round <= rounds; round++ {
		kill := kills[(round-1)%len(kills)]
		began := time.Now()
		finish := sending(t, v.all)
		time.Sleep(200*time.Millisecond + rand.N(600*time.Millisecond)) // a random moment
		settled := v.settle()
		if round%2 == 0 { // every other kill finds days that have just been settled
			if err := <-settled; err != nil {
				t.Errorf("pack and settle: %v", err)
			}
		}
		time.Sleep(rand.N(600 * time.Millisecond))
		kill.kill()
		v.revive()
		finish()
		if round%2 != 0 {
			if err := <-settled; err != nil {
				t.Logf("pack and settle: %v: the next one goes on", err)
			}
		}
		took := time.Since(began)
		busy += took
		if round%10 == 0 {
			began = time.Time{} // all that was ever sent: what is packed may be lost later
		}
		c := v.check(began)
		t.Logf("round %d of %d: killed the %s, all acknowledged again after %s: %s", round, rounds, kill.what, took.Round(time.Millisecond), c)
		if t.Failed() {
			return
		}
	}
	sent, refused, broken := tries(v.all)
	if broken == 0 {
		t.Error("no client ever lost its server: the kills hit nothing")
	}
	fmt.Printf("RESULT torture rounds=%d %s sent=%d readings_per_s=%.0f refused=%d broken=%d\n",
		rounds, v.check(time.Time{}), sent, float64(sent)/busy.Seconds(), refused, broken)
	if err := v.server.stop(); err != nil {
		t.Errorf("stop: %v\n%s", err, v.server.output())
	}
}

func tortureRounds(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("READOUT_TORTURE_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("READOUT_TORTURE_ROUNDS=%q", text)
		}
		return n
	}
	if testing.Short() {
		return 3
	}
	return 10
}

// check counts the readings of the times from since on, and has the database verified.
func (v *victim) check(since time.Time) tally {
	defer func() {
		if v.t.Failed() {
			v.t.Logf("the server's log:\n%s", v.server.output())
		}
	}()
	v.t.Helper()
	return checkStored(v.t, v.all, v.server.url, v.key, v.dir, since)
}

// settle starts a process beside the server that packs and settles, whose database may be killed under its hands. It
// returns where to learn how that ended.
func (v *victim) settle() <-chan error {
	v.t.Helper()
	url, ok := store.FindRunning(v.dir)
	if !ok {
		v.t.Fatal("the database is not to be found")
	}
	cmd := exec.Command(binary, "pack", "--settle")
	// By its URL: it must not start a database of its own when this one is gone.
	cmd.Env = environment("READOUT_DATABASE_URL="+url, "READOUT_JWT_SECRET="+jwtSecret)
	ended := make(chan error, 1)
	go func() {
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		ended <- err
	}()
	return ended
}

// revive starts the server again if it has ended, as a supervisor does, and returns when it is ready.
func (v *victim) revive() {
	v.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		select {
		case err := <-v.server.ended:
			v.server.ended <- err
			v.start()
		default:
		}
		resp, err := http.Get(v.server.url + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			v.t.Fatalf("the server does not get ready: %v\n%s", err, v.server.output())
		}
		time.Sleep(20 * time.Millisecond) // nothing tells when another process is ready
	}
}

func (v *victim) killServer() { v.server.kill() }

// killPostmaster returns when the server has noticed: it ends with its database.
func (v *victim) killPostmaster() {
	v.t.Helper()
	kill(v.t, v.postmaster())
	select {
	case err := <-v.server.ended:
		v.server.ended <- err
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			v.t.Errorf("the server ended without its database: %v, want a status that a supervisor sees", err)
		}
	case <-time.After(time.Minute):
		v.t.Fatalf("the server outlives its database\n%s", v.server.output())
	}
}

// killBackend kills one of the processes that serve the server's connections; PostgreSQL then ends all others and
// recovers.
func (v *victim) killBackend() {
	v.t.Helper()
	postmaster := v.postmaster()
	serving := slices.DeleteFunc(childrenOf(v.t, postmaster), func(pid int) bool {
		return !strings.HasPrefix(commandLine(pid), "postgres: readout readout")
	})
	if len(serving) == 0 {
		v.t.Fatal("the server has no connection to its database")
	}
	kill(v.t, serving[rand.IntN(len(serving))])
}

func (v *victim) postmaster() int {
	v.t.Helper()
	return postmasterOf(v.t, v.dir)
}

// postmasterOf returns the process of the PostgreSQL that works in a data folder.
func postmasterOf(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 1 {
		t.Fatalf("no process in postmaster.pid: %q", text)
	}
	return pid
}

// childrenOf returns the processes that a process has started and that live.
func childrenOf(t *testing.T, parent int) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // ended meanwhile
		}
		// pid (name) state ppid …; a name may hold anything, even parentheses.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) && fields[0] != "Z" {
			pids = append(pids, pid)
		}
	}
	return pids
}

func commandLine(pid int) string {
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return string(text)
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
}
