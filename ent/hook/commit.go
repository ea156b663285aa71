package hook

import (
	"context"
	"time"

	"entgo.io/ent"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/entity"
)

type earlierKey struct{}

// tellAfterCommit tells of what m has changed once that is committed: with m's transaction, or with m alone.
//
// The first one of a transaction's commit hooks is called first and returns last. So each adds its changes to those of the
// earlier ones, on the way to the commit, and the first one tells of all of them on the way back.
func tellAfterCommit(m ent.Mutation, changes []entity.Change, tell func(...entity.Change)) {
	if len(changes) == 0 {
		return
	}
	tx, err := m.(interface{ Tx() (*db.Tx, error) }).Tx()
	if err != nil { // not in a transaction
		inform(changes, tell)
		return
	}
	tx.OnCommit(func(next db.Committer) db.Committer {
		return db.CommitFunc(func(ctx context.Context, tx *db.Tx) error {
			if earlier, ok := ctx.Value(earlierKey{}).(*[]entity.Change); ok {
				*earlier = append(*earlier, changes...)
				return next.Commit(ctx, tx)
			}
			all := changes
			if err := next.Commit(context.WithValue(ctx, earlierKey{}, &all), tx); err != nil {
				tell(entity.MissedAll()) // it may be committed all the same
				return err
			}
			inform(all, tell)
			return nil
		})
	})
}

// inform tells of changes that have just been committed.
func inform(changes []entity.Change, tell func(...entity.Change)) {
	at := time.Now().UnixMicro()
	for i := range changes {
		changes[i].At = at
	}
	tell(changes...)
}
