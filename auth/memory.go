package auth

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// memory remembers what was answered for a while, and a bounded number of answers; an older one is as good as none. It does
// nothing by itself: a cache that clears itself up wakes an idle server a hundred times a second. Safe for concurrent use.
type memory[K comparable, V any] struct {
	cache *lru.Cache[K, answer[V]]
	lasts time.Duration
}

type answer[V any] struct {
	value V
	at    time.Time
}

func newMemory[K comparable, V any](most int, lasts time.Duration) *memory[K, V] {
	cache, err := lru.New[K, answer[V]](most)
	if err != nil {
		panic(err) // sizes are constants
	}
	return &memory[K, V]{cache, lasts}
}

func (m *memory[K, V]) get(key K) (value V, known bool) {
	a, ok := m.cache.Get(key)
	if !ok || time.Since(a.at) >= m.lasts {
		return value, false
	}
	return a.value, true
}

func (m *memory[K, V]) keep(key K, value V) { m.cache.Add(key, answer[V]{value, time.Now()}) }

func (m *memory[K, V]) forget() { m.cache.Purge() }
