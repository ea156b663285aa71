package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// expiry reports whether a partition may be dropped.
type expiry func(ctx context.Context, db querier, p partition) (bool, error)

// dropAtOnce drops a partition that has expired, in one transaction, so that it is either there as it was or gone; of rows
// that somebody is writing meanwhile it must not be out of sight for a moment. For the time of a detachment it has the
// parent to itself. What it cannot lock in time, as a transaction that writes to the partition or has looked at the parent
// is not over, it leaves: whoever came behind it has waited that long, a few times.
func (p partition) dropAtOnce(ctx context.Context, pool *pgxpool.Pool, expired expiry) (dropped bool, err error) {
	err = maintainPatiently(ctx, pool, dropping, func(conn *pgx.Conn) error {
		return dropping.do(ctx, func() error {
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				dropped, err = p.dropWithin(ctx, tx, expired)
				return err
			})
		})
	})
	return dropped && err == nil, err
}

func (p partition) dropWithin(ctx context.Context, tx pgx.Tx, expired expiry) (dropped bool, err error) {
	if err := lockForPartitions(ctx, tx); err != nil {
		return false, err
	}
	s, err := p.standing(ctx, tx)
	if err != nil || !s.attached || s.pending {
		return false, err // another process was quicker, or somebody is detaching it to keep it
	}
	// First the writers, who are done or come later, so that asking needs nothing of the readers.
	if _, err := tx.Exec(ctx, `lock table `+p.name+` in share mode`); err != nil {
		return false, err
	}
	if over, err := expired(ctx, tx, p); err != nil || !over {
		return false, err
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`alter table %s detach partition %[2]s; drop table %[2]s`, p.parent, p.name))
	return err == nil, err
}

// expiredMark is the comment of a partition that is being dropped in steps. A crash may leave the table detached, and only
// the comment tells it from one that somebody detached to keep it.
const expiredMark = "readout: expired, being dropped"

// dropInSteps is dropAtOnce that never stops those who append, for the journal, whose entries are no news any more when
// they expire: after each step the partition may be out of sight, and a crash may come; each looks at how far the last one
// came.
func (p partition) dropInSteps(ctx context.Context, pool *pgxpool.Pool, expired expiry) (dropped bool, err error) {
	err = maintainPatiently(ctx, pool, dropping, func(conn *pgx.Conn) error {
		if err := dropping.do(ctx, func() error { return p.detach(ctx, conn) }); err != nil {
			return err
		}
		return dropping.do(ctx, func() error {
			dropped, err = p.drop(ctx, conn, expired)
			return err
		})
	})
	return dropped, err
}

// detach marks the partition and detaches it. Readers and writers of the parent go on meanwhile, which is what
// CONCURRENTLY is for: it waits for those transactions that know the partition, but for a moment at its end it needs the
// table itself, and of the journal its heads. Interrupted, by a lock that it does not get in time or by a crash, it is
// done halfway, so that nobody sees the partition any more; the next call goes on.
func (p partition) detach(ctx context.Context, conn *pgx.Conn) error {
	s, err := p.standing(ctx, conn)
	switch {
	case err != nil || !s.attached:
		return err
	case s.pending:
		return p.finalize(ctx, conn)
	}
	if _, err := conn.Exec(ctx, fmt.Sprintf(`comment on table %s is '%s'`, p.name, expiredMark)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, fmt.Sprintf(`alter table %s detach partition %s concurrently`, p.parent, p.name))
	return err
}

func (p partition) finalize(ctx context.Context, db Execer) error {
	_, err := db.Exec(ctx, fmt.Sprintf(`alter table %s detach partition %s finalize`, p.parent, p.name))
	return err
}

// drop drops the partition, detached as it is and marked, or restores it where expired, which looks again now that
// nobody can write to it any more, says that it must stand.
func (p partition) drop(ctx context.Context, conn *pgx.Conn, expired expiry) (dropped bool, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := lockForPartitions(ctx, tx); err != nil {
			return err
		}
		s, err := p.standing(ctx, tx)
		if err != nil || s.attached || !s.marked {
			return err // another process was quicker
		}
		if dropped, err = expired(ctx, tx, p); err != nil {
			return err
		}
		if !dropped {
			return p.restore(ctx, tx, s)
		}
		_, err = tx.Exec(ctx, `drop table `+p.name)
		return err
	})
	return dropped && err == nil, err
}

// restore makes a partition that was on its way to be dropped one like the others again. Detaching left a constraint that
// says its bounds.
func (p partition) restore(ctx context.Context, tx pgx.Tx, s standing) error {
	if s.pending {
		if err := p.finalize(ctx, tx); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, p.attach()+` comment on table `+p.name+` is null`)
	return err
}
