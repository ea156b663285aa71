package store

import (
	"os"
	"path/filepath"
	"testing"
)

// fakePostgres makes a folder of programs that say they are the given version.
func fakePostgres(t *testing.T, says string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "bin")
	writeFile(t, filepath.Join(bin, "postgres"), "#!/bin/sh\necho '"+says+"'\n")
	writeFile(t, filepath.Join(bin, "initdb"), "#!/bin/sh\nexit 1\n")
	return bin
}

func TestNewestInstalledPostgresIsChosen(t *testing.T) {
	t.Parallel()
	old := fakePostgres(t, "postgres (PostgreSQL) 14.19")
	fifteen := fakePostgres(t, "postgres (PostgreSQL) 15.9 (Debian 15.9-0+deb12u1)")
	fifteenNew := fakePostgres(t, "postgres (PostgreSQL) 15.14")
	beta := fakePostgres(t, "postgres (PostgreSQL) 19beta1")
	other := fakePostgres(t, "something else")
	lone := fakePostgres(t, "postgres (PostgreSQL) 20.1")
	if err := os.Remove(filepath.Join(lone, "initdb")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(fifteen, link); err != nil {
		t.Fatal(err)
	}
	all := findInstalls(t.Context(), []string{old, fifteen, link, "/nonexistent", other, lone, fifteenNew, beta})
	if len(all) != 4 {
		t.Errorf("%d installs are found, want 4: %+v", len(all), all)
	}
	f := func(installs []install, major int, want string) {
		t.Helper()
		got, ok := pick(installs, major)
		if ok != (want != "") || ok && got.version() != want {
			t.Errorf("of %+v for major version %d: %+v, %v; want %q", installs, major, got, ok, want)
		}
	}
	f(all, 0, "19.0")
	f(all, 15, "15.14")
	f(all, 14, "") // too old for Readout, even for its own cluster
	f(all, 16, "")
	f(nil, 0, "")
}
