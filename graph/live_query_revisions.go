package graph

import (
	"encoding/json"

	"github.com/readout-dev/readout/graph/transport"
)

// maxPatched is how long an answer may be, in bytes, that is sent as a patch: to compare two of a megabyte takes up to a tenth
// of a second.
const maxPatched = 1 << 20

// revisions sends answers as patches: as @n1ru4l/graphql-live-query-patch-json-patch and others read them. Revision 1 is the
// whole answer, and each further one what changes that before it. Where that would be longer, or somebody has come who has
// not had the one before, it begins with revision 1 again.
type revisions struct {
	before json.RawMessage // the data of the answer that was sent last
	last   int             // its revision; 0: none
	mixed  bool            // some have it as revision 1
}

// next returns an answer for all.
func (r *revisions) next(a *liveAnswer) *transport.Answer {
	before := r.before
	r.before = a.data
	if r.last > 0 && !r.mixed && max(len(before), len(a.data)) <= maxPatched {
		if p := encodeJSON(diff(before, a.data)); len(p) < len(a.data) {
			r.last++
			return a.payload(a.changes(p, r.last))
		}
	}
	r.last, r.mixed = 1, false
	return a.payload(a.whole(1))
}

// again returns the answer that was sent last, for who has come.
func (r *revisions) again(a *liveAnswer) *transport.Answer {
	r.mixed = r.mixed || r.last > 1
	return a.payload(a.whole(1))
}
