package graph

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/ent/rule"
	"github.com/readout-dev/readout/internal/fault"
)

// rights remembers for a second who may still see which project, so that each operation and each event of a subscription
// can ask: a member who was removed and a key that was revoked get nothing more after that second, at one query a second
// for each of them while they are active and none while nothing happens.
type rights struct {
	once sync.Once
	seen *expirable.LRU[right, error]
}

// right is one principal's view of one project.
type right struct {
	user, key, project int64
}

// still returns nil while the principal of ctx may see the project; else a fault.
func (r *rights) still(ctx context.Context, client *db.Client, project int64) error {
	r.once.Do(func() { r.seen = expirable.NewLRU[right, error](10_000, nil, time.Second) })
	p := auth.FromContext(ctx)
	if p == nil || p.Expired(time.Now()) {
		return errRightsEnded
	}
	what := right{p.User, p.Key, project}
	if err, ok := r.seen.Get(what); ok {
		return err
	}
	err := ask(ctx, client, p, project)
	if err == nil || fault.Is(err, fault.Unauthenticated) {
		r.seen.Add(what, err)
	}
	return err
}

var errRightsEnded = fault.New(fault.Unauthenticated, "the rights of this connection have ended")

func ask(ctx context.Context, client *db.Client, p *auth.Principal, project int64) error {
	if p.Kind == auth.User {
		_, err := rule.RoleIn(ctx, client, project)
		if fault.Is(err, fault.NotFound) {
			return errRightsEnded
		}
		return err
	}
	exists, err := client.Key.Query().Where(key.ID(p.Key)).Exist(auth.NewContext(ctx, auth.System()))
	if err == nil && !exists {
		return errRightsEnded
	}
	return err
}
