package hook_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/device"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/db/privacy"
	"github.com/readout-dev/readout/ent/hook"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// house is a project with an owner, a device, a series and a key of the device, and what was told of since.
type house struct {
	t      *testing.T
	ctx    context.Context // of the program itself
	client *db.Client
	heard  []entity.Change
	calls  int

	project *db.Project
	owner   *db.User
	member  *db.Member
	device  *db.Device
	series  *db.Series
	key     *db.Key
}

func setup(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, ctx: auth.NewContext(t.Context(), auth.System()), client: store.Client(testdb.New(t))}
	t.Cleanup(func() { _ = h.client.Close() })
	hook.Tell(h.client, func(cs ...entity.Change) {
		h.calls++
		for _, c := range cs {
			if age := time.Since(time.UnixMicro(c.At)); age < 0 || age > time.Minute {
				t.Errorf("a change is said to be %v old", age)
			}
			c.At = 0
			h.heard = append(h.heard, c)
		}
	})
	h.project = h.client.Project.Create().SetName("p").SaveX(h.ctx)
	h.owner = h.client.User.Create().SetEmail("ada@example.org").SetPassword("-").SaveX(h.ctx)
	h.member = h.client.Member.Create().SetProject(h.project).SetUser(h.owner).SetRole(member.RoleOWNER).SaveX(h.ctx)
	h.device = h.client.Device.Create().SetProject(h.project).SetName("d").SaveX(h.ctx)
	h.series = h.client.Series.Create().SetProject(h.project).SetDevice(h.device).SetMetric("m").SaveX(h.ctx)
	h.key = h.newKey(&h.device.ID)
	return h
}

func (h *house) newKey(of *int64) *db.Key {
	h.t.Helper()
	k, _, err := auth.CreateKey(h.ctx, h.client, auth.KeySpec{Project: h.project.ID, Device: of, Scopes: auth.Read})
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

func (h *house) change(kind entity.Kind, typ entity.Type, id int64) entity.Change {
	c := entity.Change{Kind: kind, Type: typ, ID: id, Project: h.project.ID}
	switch typ {
	case entity.Member:
		c.User = h.owner.ID
	case entity.User:
		c.Project, c.User = 0, id
	}
	return c
}

// expect wants these changes to have been told of since the last call, in this order.
func (h *house) expect(when string, want ...entity.Change) {
	h.t.Helper()
	if !slices.Equal(h.heard, want) {
		h.t.Errorf("%s:\n told %+v\n want %+v", when, h.heard, want)
	}
	h.heard, h.calls = nil, 0
}

func TestEachChangeIsToldOf(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.expect("what was made",
		h.change(entity.Created, entity.Project, h.project.ID), h.change(entity.Created, entity.User, h.owner.ID),
		h.change(entity.Created, entity.Member, h.member.ID), h.change(entity.Created, entity.Device, h.device.ID),
		h.change(entity.Created, entity.Series, h.series.ID), h.change(entity.Created, entity.Key, h.key.ID))
	h.device.Update().SetDescription("new").ExecX(h.ctx)
	h.expect("what was updated", h.change(entity.Updated, entity.Device, h.device.ID))
	h.client.Key.Update().Where(key.ProjectID(h.project.ID)).SetName("new").ExecX(h.ctx)
	h.expect("what was updated with others", h.change(entity.Updated, entity.Key, h.key.ID))
	h.client.Key.Delete().Where(key.ProjectID(h.project.ID)).ExecX(h.ctx)
	h.expect("what was deleted with others", h.change(entity.Deleted, entity.Key, h.key.ID))
	h.client.Series.DeleteOne(h.series).ExecX(h.ctx)
	h.expect("what was deleted", h.change(entity.Deleted, entity.Series, h.series.ID))
}

func TestWhatGoesWithWhatIsDeletedIsToldOf(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.heard = nil
	h.client.Device.DeleteOne(h.device).ExecX(h.ctx)
	h.expect("a device", h.change(entity.Deleted, entity.Device, h.device.ID),
		h.change(entity.Deleted, entity.Key, h.key.ID), h.change(entity.Deleted, entity.Series, h.series.ID))
	h.client.Project.DeleteOne(h.project).ExecX(h.ctx)
	h.expect("a project",
		h.change(entity.Deleted, entity.Project, h.project.ID), h.change(entity.Deleted, entity.Member, h.member.ID))

	h = setup(t)
	h.heard = nil
	h.client.User.DeleteOne(h.owner).ExecX(h.ctx)
	h.expect("a user", h.change(entity.Deleted, entity.User, h.owner.ID), h.change(entity.Deleted, entity.Member, h.member.ID))
}

func TestTransactionTellsOfAllAtOnceAfterItsCommit(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.heard = nil
	begin := func() *db.Tx {
		tx, err := h.client.Tx(h.ctx)
		if err != nil {
			t.Fatal(err)
		}
		tx.Device.UpdateOne(h.device).SetDescription("new").ExecX(h.ctx)
		tx.Series.DeleteOne(h.series).ExecX(h.ctx)
		tx.Key.UpdateOne(h.key).SetName("new").ExecX(h.ctx)
		return tx
	}
	if err := begin().Rollback(); err != nil {
		t.Fatal(err)
	}
	h.expect("after a rollback")
	tx := begin()
	h.expect("before the commit")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if h.calls != 1 {
		t.Errorf("a commit was told of in %d pieces", h.calls)
	}
	h.expect("after the commit", h.change(entity.Updated, entity.Device, h.device.ID),
		h.change(entity.Deleted, entity.Series, h.series.ID), h.change(entity.Updated, entity.Key, h.key.ID))
}

func TestWhatIsNotCommittedIsNotToldOf(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.heard = nil
	stranger := auth.NewContext(t.Context(), &auth.Principal{Kind: auth.User, User: h.owner.ID + 1, Scopes: auth.Read | auth.Admin})
	if err := h.client.Device.DeleteOneID(h.device.ID).Exec(stranger); err == nil || errors.Is(err, privacy.Allow) {
		t.Fatalf("a stranger deleted a device: %v", err)
	}
	if err := h.client.Device.DeleteOneID(-1).Exec(h.ctx); !db.IsNotFound(err) {
		t.Fatalf("nothing was deleted: %v", err)
	}
	if err := h.client.Device.Create().SetProject(h.project).SetName("d").Exec(h.ctx); !db.IsConstraintError(err) {
		t.Fatalf("a device was made twice: %v", err)
	}
	h.client.Device.Delete().Where(device.Name("unknown")).ExecX(h.ctx)
	h.expect("nothing was changed")
}
