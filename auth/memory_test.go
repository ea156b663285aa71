package auth

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryForgetsWhatIsOldAndWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory[int, string](2, time.Second)
		wants := func(key int, want string, known bool) {
			t.Helper()
			if got, ok := m.get(key); got != want || ok != known {
				t.Errorf("of %d: %q, %v; want %q, %v", key, got, ok, want, known)
			}
		}
		m.keep(1, "one")
		wants(1, "one", true)
		wants(2, "", false)
		time.Sleep(time.Second) // synthetic
		wants(1, "", false)
		for key := range 3 {
			m.keep(key, "again")
		}
		wants(0, "", false)
		wants(2, "again", true)
		m.forget()
		wants(2, "", false)
	})
}
