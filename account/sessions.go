package account

import (
	"net/http"
	"strconv"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/internal/fault"
)

// serveSessions answers GET /auth/sessions: those of the person, the last seen first.
func (a *Accounts) serveSessions(w http.ResponseWriter, r *http.Request) error {
	p, err := a.person(r)
	if err != nil {
		return err
	}
	all, err := a.Client.Session.Query().Where(session.UserID(p.User), session.ExpiresAtGT(a.now())).
		Order(session.BySeenAt(sql.OrderDesc())).All(system(r.Context()))
	if err != nil {
		return err
	}
	type shown struct {
		ID        string    `json:"id"`
		Agent     string    `json:"agent"`
		CreatedAt time.Time `json:"createdAt"`
		SeenAt    time.Time `json:"seenAt"`
		ExpiresAt time.Time `json:"expiresAt"`
		Current   bool      `json:"current"`
	}
	answer := make([]shown, len(all))
	for i, s := range all {
		answer[i] = shown{
			strconv.FormatInt(s.ID, 10), s.Agent, s.CreatedAt.UTC(), s.SeenAt.UTC(), s.ExpiresAt.UTC(), s.ID == p.Session,
		}
	}
	return reply(w, http.StatusOK, answer)
}

// serveEndSession answers DELETE /auth/sessions/{id}.
func (a *Accounts) serveEndSession(w http.ResponseWriter, r *http.Request) error {
	p, err := a.person(r)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		id = 0
	}
	ended, err := a.Client.Session.Delete().Where(session.ID(id), session.UserID(p.User)).Exec(system(r.Context()))
	if err != nil {
		return err
	}
	if ended == 0 {
		return fault.New(fault.NotFound, "not found")
	}
	return done(w)
}
