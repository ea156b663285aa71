package store

import "testing"

func TestDefaultDirFollowsTheSystem(t *testing.T) {
	t.Parallel()
	home := map[string]string{"HOME": "/home/ada"}
	f := func(system string, root bool, env map[string]string, want string) {
		t.Helper()
		got, err := defaultDir(system, root, func(name string) string { return env[name] })
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s, root %v, %v: %q (%v), want %q", system, root, env, got, err, want)
		}
	}
	f("linux", true, nil, "/var/lib/readout")
	f("linux", false, home, "/home/ada/.local/share/readout")
	f("linux", false, map[string]string{"HOME": "/home/ada", "XDG_DATA_HOME": "/data"}, "/data/readout")
	f("linux", false, map[string]string{"HOME": "/home/ada", "XDG_DATA_HOME": "data"}, "/home/ada/.local/share/readout")
	f("linux", false, nil, "")
	f("freebsd", false, home, "/home/ada/.local/share/readout")
	f("darwin", false, home, "/home/ada/Library/Application Support/Readout")
	f("darwin", true, map[string]string{"HOME": "/var/root"}, "/var/root/Library/Application Support/Readout")
	f("windows", false, map[string]string{"LocalAppData": "/users/ada"}, "/users/ada/Readout")
}
