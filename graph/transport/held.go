package transport

import (
	"cmp"
	"context"
	"encoding/json"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/readout-dev/readout/internal/fault"
)

// An operation keeps its document and its variables for as long as it runs: to begin a shared execution with, and to go on by
// itself when its client lags. How much that is in all has a bound for each owner, however many sockets and streams there are.

// held counts the bytes that the operations of each owner keep. The zero value is ready. Safe for concurrent use.
type held struct {
	mu sync.Mutex
	by map[string]int64 // who keeps nothing is not in it
}

// take reports whether an owner may keep so many bytes more, and counts them then.
func (h *held) take(owner string, bytes, most int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.by[owner]+bytes > most {
		return false
	}
	if h.by == nil {
		h.by = map[string]int64{}
	}
	h.by[owner] += bytes
	return true
}

func (h *held) give(owner string, bytes int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.by[owner] -= bytes; h.by[owner] <= 0 {
		delete(h.by, owner)
	}
}

// hold counts what an operation keeps, until letGo; else fault TooMany.
func (s *Subscriptions) hold(owner string, bytes int64) error {
	most := cmp.Or(s.MaxHeld, 64<<20)
	if s.held.take(owner, bytes, most) {
		return nil
	}
	return fault.New(fault.TooMany, "the documents and variables of your operations can take %d bytes in all", most)
}

func (s *Subscriptions) letGo(owner string, bytes int64) { s.held.give(owner, bytes) }

// owner names who is behind ctx.
func (s *Subscriptions) owner(ctx context.Context) string {
	if s.Owner == nil {
		return ""
	}
	return s.Owner(ctx)
}

// About what a value takes that is kept in an interface, and a member of an object beside its value, in bytes.
const (
	valueWeight  = 32
	memberWeight = 48
)

// weightOf returns about how many bytes the document, the variables and the extensions of an operation take in memory.
// In numbers and lists that is up to twenty times their JSON.
func weightOf(params *graphql.RawParams) int64 {
	return int64(len(params.Query)+len(params.OperationName)) + weightOfValue(params.Variables) + weightOfValue(params.Extensions)
}

func weightOfValue(v any) int64 {
	weight := int64(valueWeight)
	switch v := v.(type) {
	case string:
		weight += int64(len(v))
	case json.Number:
		weight += int64(len(v))
	case []any:
		for _, element := range v {
			weight += weightOfValue(element)
		}
	case map[string]any:
		for name, member := range v {
			weight += memberWeight + int64(len(name)) + weightOfValue(member)
		}
	}
	return weight
}
