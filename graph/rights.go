package graph

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/internal/fault"
)

// rights knows of each credential that is connected, and of each project that somebody is subscribed to, whether they still
// go together. It answers from memory: who loses a right is told of by the changes of entities, at once. A change that nobody
// told of is found by the sweep: a second after something was asked for, one look at the database for all who asked in it,
// and none while nobody asks. The zero value is not ready: see open. Safe for concurrent use.
type rights struct {
	client *db.Client
	log    *slog.Logger
	ctx    context.Context // of the sweeps
	close  func()          // ends it

	mu      sync.Mutex
	held    map[right]*hold
	revoked time.Time   // when somebody lost a right last, or may have
	due     []*hold     // that the next sweep looks at
	sweep   *time.Timer // nil: none is to come
	running sync.WaitGroup
}

// right is one principal's view of one project; of project 0 it is a person's log-in or, by a token of none, their account. A
// key has the one of its project.
type right struct {
	user, key, project, session int64
}

func rightOf(p *auth.Principal, project int64) right {
	switch {
	case p.Kind != auth.User:
		project = p.Project
	case project == 0:
		return right{user: p.User, session: p.Session}
	}
	return right{user: p.User, key: p.Key, project: project}
}

// hold is a right that somebody makes use of.
type hold struct {
	right
	ended  atomic.Bool
	isDue  atomic.Bool
	claims map[*claim]struct{} // with the lock of rights
}

// claim is one use of a right: by a connection for as long as it is open, or by a subscription.
type claim struct {
	rights  *rights
	hold    *hold
	session *session
}

// errExpired is why a connection ends whose credential has.
var errExpired = fault.New(fault.Unauthenticated, "the credential has expired: connect with a new one")

// lost is why a connection ends that made use of a right which does not hold any more.
func (w right) lost() error {
	switch {
	case w.key != 0:
		return fault.New(fault.Unauthenticated, "the key was revoked, or its project deleted")
	case w.session != 0:
		return fault.New(fault.Unauthenticated, "this session has ended: log in again")
	case w.project != 0:
		return fault.New(fault.Unauthenticated, "you are not a member of project %d any more, which this connection shows", w.project)
	}
	return fault.New(fault.Unauthenticated, "the account has been deleted")
}

const (
	sweepAfter = time.Second
	// endAfter leaves time for the answer to a mutation by which somebody gives up his own right.
	endAfter = 100 * time.Millisecond
	// letInFor is longer than it takes from where a client is let in until its right is watched.
	letInFor = time.Minute
)

// open makes the rights ready until they are shut.
func (r *rights) open(client *db.Client, log *slog.Logger) {
	r.client, r.log, r.held = client, log, map[right]*hold{}
	r.ctx, r.close = context.WithCancel(auth.NewContext(context.Background(), auth.System()))
}

// shut ends the sweeps and waits for the one that runs.
func (r *rights) shut() {
	r.close()
	r.mu.Lock()
	if r.sweep != nil && r.sweep.Stop() {
		r.running.Done()
	}
	r.mu.Unlock()
	r.running.Wait()
}

// watch claims the right of the principal of ctx to see a project; of project 0, to be connected at all. The caller has found
// that it holds; where it may have ended since, the next sweep looks. When the right ends so does the session of ctx. The
// caller closes the claim.
func (r *rights) watch(ctx context.Context, project int64) *claim {
	what := rightOf(auth.FromContext(ctx), project)
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.held[what]
	if h == nil {
		h = &hold{right: what, claims: map[*claim]struct{}{}}
		r.held[what] = h
		if time.Since(r.revoked) < letInFor {
			r.lookAt(h)
		}
	}
	c := &claim{rights: r, hold: h, session: sessionOf(ctx)}
	h.claims[c] = struct{}{}
	return c
}

// check returns nil while the right holds, else fault Unauthenticated. It answers from memory.
func (c *claim) check() error {
	switch {
	case c.hold.ended.Load():
		return c.hold.lost()
	case c.session.expired():
		return errExpired
	}
	if !c.hold.isDue.Load() {
		c.rights.mu.Lock()
		c.rights.lookAt(c.hold)
		c.rights.mu.Unlock()
	}
	return nil
}

// Close gives the claim up. It may be called twice.
func (c *claim) Close() {
	r, h := c.rights, c.hold
	r.mu.Lock()
	defer r.mu.Unlock()
	if delete(h.claims, c); len(h.claims) == 0 && r.held[h.right] == h {
		delete(r.held, h.right)
	}
}

// changed ends the rights that the changes take away, and has those looked at that they may have taken. It is called by
// whoever made the changes, and waits for nothing.
func (r *rights) changed(changes []entity.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range changes {
		if c.Kind == entity.Missed || c.Kind == entity.Deleted {
			r.revoked = time.Now()
		}
		switch {
		case c.Kind == entity.Missed:
			r.each(func(w right) bool { return c.Project == 0 || w.project == c.Project }, r.lookAt)
		case c.Kind != entity.Deleted:
		case c.Type == entity.Key:
			r.end(r.held[right{key: c.ID, project: c.Project}])
		case c.Type == entity.Member:
			r.end(r.held[right{user: c.User, project: c.Project}])
		case c.Type == entity.Session:
			r.end(r.held[right{user: c.User, session: c.ID}])
		case c.Type == entity.Project:
			r.each(func(w right) bool { return w.project == c.ID }, r.end)
		case c.Type == entity.User:
			r.each(func(w right) bool { return w.user == c.ID }, r.end)
		}
	}
}

// each is called with mu held.
func (r *rights) each(which func(right) bool, do func(*hold)) {
	for what, h := range r.held {
		if which(what) {
			do(h)
		}
	}
}

// end ends a right, and the sessions that make use of it. It is called with mu held; nil is none.
func (r *rights) end(h *hold) {
	if h == nil || h.ended.Swap(true) {
		return
	}
	if r.held[h.right] == h { // who was given it anew has another one
		delete(r.held, h.right)
	}
	sessions := make([]*session, 0, len(h.claims))
	for c := range h.claims {
		sessions = append(sessions, c.session)
	}
	reason := h.lost()
	time.AfterFunc(endAfter, func() {
		for _, s := range sessions {
			s.end(reason)
		}
	})
}
