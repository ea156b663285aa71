package store

import (
	"slices"
	"strings"
	"testing"
)

func TestSharedBuffersFitTheMachine(t *testing.T) {
	t.Parallel()
	f := func(memory uint64, want string) {
		t.Helper()
		if got := sharedBuffers(memory); got != want {
			t.Errorf("of %d bytes: %s, want %s", memory, got, want)
		}
	}
	f(0, "128MB")
	f(64<<20, "32MB")
	f(512<<20, "128MB")
	f(1<<30, "256MB")
	f(64<<30, "256MB")
}

func TestNoSettingOpensTheServerToTheNetwork(t *testing.T) {
	t.Parallel()
	flags := serverFlags(map[string]string{"listen_addresses": "*", "port": "1", "work_mem": "8MB"}, "/sockets")
	for _, want := range []string{"listen_addresses=", "port=5432", "work_mem=8MB", "unix_socket_directories=/sockets"} {
		if !slices.Contains(flags, want) {
			t.Errorf("the flags %s lack %s", strings.Join(flags, " "), want)
		}
	}
}
