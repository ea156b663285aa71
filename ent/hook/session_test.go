package hook_test

import (
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/session"
	"github.com/readout-dev/readout/entity"
)

func (h *house) login() *db.Session {
	token, now := auth.NewRefresh(), time.Now()
	return h.client.Session.Create().SetUser(h.owner).SetFamily(token.Family[:]).SetHash(token.Hash[:]).
		SetRotatedAt(now).SetSeenAt(now).SetExpiresAt(now.Add(time.Hour)).SaveX(h.ctx)
}

func TestSessionsAreToldOfWhenTheyEnd(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.heard = nil
	one, two := h.login(), h.login()
	h.client.Session.Update().Where(session.ID(one.ID)).SetSeenAt(time.Now()).ExecX(h.ctx)
	h.expect("a log-in and a refresh")
	h.client.Session.DeleteOne(one).ExecX(h.ctx)
	ended := entity.Change{Kind: entity.Deleted, Type: entity.Session, ID: one.ID, User: h.owner.ID}
	h.expect("one ends", ended)
	h.client.Session.Delete().Where(session.UserID(h.owner.ID)).ExecX(h.ctx)
	ended.ID = two.ID
	h.expect("the others end", ended)
}
