//go:build linux

package main_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/readout-dev/readout/store"
)

// outage is a server on a PostgreSQL of its own, which the test can take away; the server stays.
type outage struct {
	t        *testing.T
	dir      string // of the database
	settings map[string]string
	database *store.Embedded
	server   *program
	key      string
	all      []*gateway
}

func newOutage(t *testing.T, dir string, settings map[string]string) *outage {
	t.Helper()
	o := &outage{t: t, dir: dir, settings: settings}
	o.startDatabase()
	t.Cleanup(o.stopDatabase)
	o.server = serve(t, quietAddress(t), dataDir(t), "READOUT_DATABASE_URL="+o.database.URL(),
		"READOUT_JWT_SECRET="+jwtSecret, packOften)
	const owner = "owner@example.org"
	readout(t, "user", "create", owner, "--generate", "--data-dir", dir)
	project := field(t, readout(t, "project", "create", "Outage", "--owner", owner, "--data-dir", dir), "project")
	o.key = field(t, readout(t, "key", "create", "--project", project, "--data-dir", dir), "secret")
	o.all = newGateways(o.server.url, o.key, rand.Uint64())
	return o
}

func (o *outage) startDatabase() {
	o.t.Helper()
	var err error
	if o.database, err = store.StartEmbedded(o.t.Context(), store.EmbeddedConfig{Dir: o.dir, Settings: o.settings}); err != nil {
		o.t.Fatalf("start the database: %v", err)
	}
}

func (o *outage) stopDatabase() {
	o.t.Helper()
	if err := o.database.Stop(context.WithoutCancel(o.t.Context())); err != nil {
		o.t.Errorf("stop the database: %v", err)
	}
}

// allRefused returns when every gateway has been told to come again later.
func (o *outage) allRefused() {
	o.t.Helper()
	before := make([]int64, len(o.all))
	for i, g := range o.all {
		before[i] = g.refused.Load()
	}
	deadline := time.Now().Add(90 * time.Second)
	for i, g := range o.all {
		for g.refused.Load() == before[i] {
			if time.Now().After(deadline) {
				o.t.Fatalf("gateway %d is not told to come again later\n%s", g.id, o.server.output())
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// resumed has the gateways finish and checks that nothing was lost and that the server lived through it all.
func (o *outage) resumed(finish func()) {
	o.t.Helper()
	mended := time.Now()
	finish()
	o.t.Logf("all acknowledged %s after the end of the outage", time.Since(mended).Round(time.Millisecond))
	c := checkStored(o.t, o.all, o.server.url, o.key, o.dir, time.Time{})
	_, refused, broken := tries(o.all)
	o.t.Logf("%s refused=%d broken=%d", c, refused, broken)
	if broken > 0 {
		o.t.Errorf("%d requests had no answer, or one that does not say when to come again", broken)
	}
	if status := readiness(o.t, o.server.url); status != http.StatusOK {
		o.t.Errorf("the server says %d of its readiness after the outage", status)
	}
	if err := o.server.stop(); err != nil {
		o.t.Errorf("stop: %v\n%s", err, o.server.output())
	}
}

func readiness(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestClientsAreToldToWaitWhileTheDatabaseIsDown(t *testing.T) {
	t.Parallel()
	o := newOutage(t, dataDir(t), nil)
	finish := sending(t, o.all)
	time.Sleep(500 * time.Millisecond) // there is something to lose
	o.stopDatabase()
	o.allRefused()
	if status := readiness(t, o.server.url); status != http.StatusServiceUnavailable {
		t.Errorf("the server says %d of its readiness without a database, want 503", status)
	}
	o.startDatabase()
	o.resumed(finish)
}

func TestRequestsWaitWhileTheDatabaseHangs(t *testing.T) {
	t.Parallel()
	o := newOutage(t, dataDir(t), nil)
	finish := sending(t, o.all)
	time.Sleep(500 * time.Millisecond) // there is something to lose
	thaw := freeze(t, postmasterOf(t, o.dir))
	if status := readiness(t, o.server.url); status != http.StatusServiceUnavailable { // after 2 s
		t.Errorf("the server says %d of its readiness while the database hangs, want 503", status)
	}
	time.Sleep(2 * time.Second)
	thaw()
	o.resumed(finish)
}

// freeze stops a postmaster and its children where they are until thaw is called, or the test ends.
func freeze(t *testing.T, postmaster int) (thaw func()) {
	t.Helper()
	frozen := []int{postmaster} // first, so that it starts no more
	for i := 0; i < len(frozen); i++ {
		if err := syscall.Kill(frozen[i], syscall.SIGSTOP); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
		if i == 0 {
			frozen = append(frozen, childrenOf(t, postmaster)...)
		}
	}
	thaw = func() {
		for _, pid := range frozen {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
	t.Cleanup(thaw)
	return thaw
}
