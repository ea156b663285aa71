package graph

import (
	"context"
	"slices"
	"time"

	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/ent/db/member"
	login "github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/ent/db/user"
)

// sweepAtOnce is how many rights one statement looks at.
const sweepAtOnce = 1000

// lookAt has the next sweep look at a right. It is called with mu held.
func (r *rights) lookAt(h *hold) {
	if h.isDue.Swap(true) {
		return
	}
	r.due = append(r.due, h)
	if r.sweep == nil && r.ctx.Err() == nil {
		r.running.Add(1)
		r.sweep = time.AfterFunc(sweepAfter, func() {
			defer r.running.Done()
			r.lookAtDue()
		})
	}
}

// lookAtDue ends those of the rights that are due which the database does not have any more. Those that it cannot be asked
// about are due again.
func (r *rights) lookAtDue() {
	r.mu.Lock()
	due := r.due
	r.due, r.sweep = nil, nil
	for _, h := range due {
		h.isDue.Store(false) // who asks from now on is looked at once more
	}
	r.mu.Unlock()
	for some := range slices.Chunk(due, sweepAtOnce) {
		holds, err := r.ask(some)
		if err != nil && r.ctx.Err() == nil {
			r.log.WarnContext(r.ctx, "look whether rights still hold", "error", err)
		}
		r.mu.Lock()
		for _, h := range some {
			if err != nil {
				r.lookAt(h)
			} else if !holds[h.right] {
				r.end(h)
			}
		}
		r.mu.Unlock()
	}
}

// ask returns those of the rights that hold: in a statement for people's memberships, one for people, one for their log-ins and
// one for keys, as there are any.
func (r *rights) ask(some []*hold) (holds map[right]bool, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, queryTimeout)
	defer cancel()
	holds = make(map[right]bool, len(some))
	var keys, accounts, sessions, users, projects []int64
	for _, h := range some {
		switch {
		case h.key != 0:
			keys = append(keys, h.key)
		case h.session != 0:
			sessions = append(sessions, h.session)
		case h.project == 0:
			accounts = append(accounts, h.user)
		default:
			users, projects = append(users, h.user), append(projects, h.project)
		}
	}
	if len(keys) > 0 {
		found, err := r.client.Key.Query().Where(key.IDIn(keys...)).Select(key.FieldID, key.FieldProjectID).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, k := range found {
			holds[right{key: k.ID, project: k.ProjectID}] = true
		}
	}
	if len(accounts) > 0 {
		found, err := r.client.User.Query().Where(user.IDIn(accounts...)).IDs(ctx)
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			holds[right{user: id}] = true
		}
	}
	if len(sessions) > 0 {
		found, err := r.client.Session.Query().Where(login.IDIn(sessions...), login.ExpiresAtGT(time.Now())).
			Select(login.FieldID, login.FieldUserID).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			holds[right{user: s.UserID, session: s.ID}] = true
		}
	}
	if len(users) > 0 {
		found, err := r.client.Member.Query().Where(member.UserIDIn(users...), member.ProjectIDIn(projects...)).
			Select(member.FieldUserID, member.FieldProjectID).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range found {
			holds[right{user: m.UserID, project: m.ProjectID}] = true
		}
	}
	return holds, nil
}
