package auth

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a time that stands still until it is moved. Safe for concurrent use.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(time.Unix(1_800_000_000, 0).UnixNano())
	return c
}

func (c *clock) Now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func newLimiter(t *testing.T, c LimiterConfig) (*Limiter, *clock) {
	t.Helper()
	now := newClock()
	c.Now = now.Now
	l, err := NewLimiter(c)
	if err != nil {
		t.Fatal(err)
	}
	return l, now
}

func TestLimiterPassesABurstAndThenOneAtATime(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(t, LimiterConfig{Burst: 3, Every: 10 * time.Second})
	for i, step := range []struct {
		wait  time.Duration
		ok    bool
		after time.Duration
	}{
		{0, true, 0},
		{0, true, 0},
		{0, true, 0},
		{0, false, 10 * time.Second},
		{4 * time.Second, false, 6 * time.Second}, // asking meanwhile has cost nothing
		{6*time.Second - 1, false, 1},
		{1, true, 0},
		{0, false, 10 * time.Second},
		{20 * time.Second, true, 0},
		{0, true, 0},
		{0, false, 10 * time.Second},
		{time.Hour, true, 0}, // never more than the burst, however long the wait
		{0, true, 0},
		{0, true, 0},
		{0, false, 10 * time.Second},
	} {
		now.advance(step.wait)
		if ok, after := l.Allow("ann"); ok != step.ok || after != step.after {
			t.Fatalf("step %d: Allow = %v, %v; want %v, %v", i, ok, after, step.ok, step.after)
		}
	}
}

func TestLimiterKeepsKeysApart(t *testing.T) {
	t.Parallel()
	l, _ := newLimiter(t, LimiterConfig{Burst: 1, Every: time.Second})
	long := strings.Repeat("x", 1000)
	for _, key := range []string{"", "ann", "Ann", long, long + "y"} {
		if ok, _ := l.Allow(key); !ok {
			t.Errorf("the first attempt of a key of %d bytes is refused", len(key))
		}
		if ok, _ := l.Allow(key); ok {
			t.Errorf("the second attempt of a key of %d bytes passes", len(key))
		}
	}
}

func TestLimiterForgetsTheKeyAskedForLongestAgo(t *testing.T) {
	t.Parallel()
	l, _ := newLimiter(t, LimiterConfig{Burst: 1, Every: time.Hour, Buckets: 2})
	l.Allow("old")
	l.Allow("victim")
	l.Allow("victim") // refused, and yet asked for
	l.Allow("new")
	if l.Len() != 2 {
		t.Errorf("%d buckets, want 2", l.Len())
	}
	if ok, _ := l.Allow("victim"); ok {
		t.Error("the bucket of a key that is asked for all the time was forgotten")
	}
	if ok, _ := l.Allow("old"); !ok {
		t.Error("the bucket asked for longest ago was kept")
	}
}

func TestLimiterSurvivesAClockThatGoesBack(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(t, LimiterConfig{Burst: 2, Every: time.Second})
	now.advance(-time.Hour)
	if ok, _ := l.Allow("new"); !ok {
		t.Error("a new key is refused after the clock went back")
	}
}

func TestLimiterCountsConcurrentAttemptsOnce(t *testing.T) {
	t.Parallel()
	l, _ := newLimiter(t, LimiterConfig{Burst: 50, Every: time.Second})
	var passed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				if ok, _ := l.Allow("ann"); ok {
					passed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if passed.Load() != 50 {
		t.Errorf("%d attempts passed, want 50", passed.Load())
	}
}

func TestLimiterConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config LimiterConfig
		want   string
	}{
		{LimiterConfig{Every: time.Second}, "Burst"},
		{LimiterConfig{Burst: 1}, "Every"},
		{LimiterConfig{Burst: 1, Every: -1}, "Every"},
		{LimiterConfig{Burst: 1 << 40, Every: time.Hour}, "at most a year"},
		{LimiterConfig{Burst: 1, Every: time.Second, Buckets: -1}, "Buckets"},
	} {
		if _, err := NewLimiter(c.config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("NewLimiter(%+v): error %v, want one that says %q", c.config, err, c.want)
		}
	}
}

func TestAddressKey(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7":             "192.0.2.7",
		"::ffff:192.0.2.7":      "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::":   "2001:db8:1:2::/64",
		"fe80::1%eth0":          "fe80::/64",
		"2001:db8:1:3:3:4:5:6":  "2001:db8:1:3::/64",
		"2001:0db8:0001:2::abc": "2001:db8:1:2::/64",
	} {
		if got := AddressKey(netip.MustParseAddr(address)); got != want {
			t.Errorf("AddressKey(%s) = %s, want %s", address, got, want)
		}
	}
	if got := AddressKey(netip.Addr{}); got != "invalid IP" {
		t.Errorf("AddressKey of no address = %q", got)
	}
}

func BenchmarkLimiterAllow(b *testing.B) {
	l, err := NewLimiter(LimiterConfig{Burst: 10, Every: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	keys := make([]string, 20_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("192.0.%d.%d", i/256, i%256)
	}
	for i := 0; b.Loop(); i++ {
		l.Allow(keys[i%len(keys)])
	}
}
