package auth

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// rateSpan is for how long what was not spent is kept: who was silent for that long may spend all of it at once.
const rateSpan = time.Minute

// ratesInMind is how many ids a Rate remembers, at about 150 bytes each. The one that spent longest ago is forgotten, and
// may then spend a span's worth again.
const ratesInMind = 100_000

// Rate lets each id (of a key, a project, a person) spend so much a second, and what it has not spent within a minute at
// once. What something costs is often known late, so an id that has anything left may spend more than that, and waits
// afterwards. Nil is no limit. Safe for concurrent use; Take costs about 0.1 µs.
type Rate struct {
	each  float64 // nanoseconds that earn a unit
	start time.Time

	mu    sync.Mutex
	whole *simplelru.LRU[int64, time.Duration] // when all will be earned back, counted from start
}

// NewRate returns a rate of so many units a second; nil for 0 or less.
func NewRate(perSecond int) *Rate {
	if perSecond <= 0 {
		return nil
	}
	whole, err := simplelru.NewLRU[int64, time.Duration](ratesInMind, nil)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &Rate{each: float64(time.Second) / float64(perSecond), start: time.Now(), whole: whole}
}

// Take spends n units of id and returns 0; or, when id has nothing left, it spends nothing and returns after how long there
// will be something. With n = 0 it only asks.
func (r *Rate) Take(id int64, n int) (wait time.Duration) {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Since(r.start)
	whole, _ := r.whole.Get(id)
	whole = max(whole, now)
	if missing := whole - now - rateSpan; missing >= 0 {
		return missing + max(time.Duration(r.each), 1)
	}
	if n > 0 {
		r.whole.Add(id, whole+time.Duration(float64(n)*r.each))
	}
	return 0
}
