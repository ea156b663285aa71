package journal

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/store"
)

// ReplicaConfig sets the pace of Replicas; its zero value is right.
type ReplicaConfig struct {
	Pause time.Duration // at least so long between two notices of ours; 0 = 50 ms
	Poll  time.Duration // how often the heads of journals are looked at while others are known; 0 = 5 s
	Wait  time.Duration // how long those who are there may take to answer the first hello; 0 = 1 s

	// Changed is told of changes of entities that others have committed; it must not wait. nil = nobody is told.
	Changed func(...entity.Change)

	Log     *slog.Logger          // nil = nobody is told
	Metrics prometheus.Registerer // nil = not registered
}

func (c ReplicaConfig) withDefaults() ReplicaConfig {
	c.Pause = cmp.Or(c.Pause, 50*time.Millisecond)
	c.Poll = cmp.Or(c.Poll, 5*time.Second)
	c.Wait = cmp.Or(c.Wait, time.Second)
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.Changed == nil {
		c.Changed = func(...entity.Change) {}
	}
	return c
}

// Replicas keeps a Follower up to date with what the other processes on the same database write, and them with what this
// one does: each tells the others of the projects in which it has committed, after the commit and some of them at a time; and
// of the entities that it has changed.
// As long as it knows of others it also looks at the heads of journals now and then, for a notice that was lost, and
// the Follower asks the database before it says that views are current. While it knows of none it runs no statement at
// all. Safe for concurrent use.
type Replicas struct {
	pool     *pgxpool.Pool
	follower *Follower
	cfg      ReplicaConfig
	presence *presence
	outbox   *outbox
	inbox    *inbox
	metrics  *replicaMetrics
}

// NewReplicas returns the Replicas of follower, which must not be used yet. Until Run has found out who else is there the
// follower counts with others.
func NewReplicas(pool *pgxpool.Pool, follower *Follower, cfg ReplicaConfig) *Replicas {
	id := uuid.NewString()
	r := &Replicas{
		pool: pool, follower: follower, cfg: cfg.withDefaults(),
		presence: newPresence(id, &follower.shared), outbox: newOutbox(id), inbox: newInbox(),
	}
	r.metrics = newReplicaMetrics(r.cfg.Metrics, r.presence.known)
	follower.tell = r.Tell
	return r
}

// Ready is closed when every replica that was there when Run began knows of this one, or has not answered in time. What
// is appended before is not lost on them, but may not be there for who asks them at once.
func (r *Replicas) Ready() <-chan struct{} { return r.presence.ready }

// Tell makes sure that the other replicas, if there are any, look for news of project soon. The follower calls it for what
// it is told. It waits for nothing.
func (r *Replicas) Tell(project int64) {
	if r.follower.shared.Load() {
		r.outbox.wrote(project)
	}
}

// TellChanged tells the other replicas, if there are any, of changes of entities that are committed. It waits for nothing.
func (r *Replicas) TellChanged(changes ...entity.Change) {
	if r.follower.shared.Load() {
		r.outbox.changed(changes...)
	}
}

// Run listens, tells and catches up until ctx ends; then it tells what is left to be told and returns nil. It mends its
// connection by itself. Run it once.
func (r *Replicas) Run(ctx context.Context) error {
	var others sync.WaitGroup
	others.Go(func() { r.tellAll(ctx) })
	others.Go(func() { r.followAll(ctx) })
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, longPause) {
		began := time.Now()
		err := r.listen(ctx)
		r.presence.deafen()
		if ctx.Err() == nil {
			r.cfg.Log.WarnContext(ctx, "listen to the other replicas", "error", err)
		}
		if time.Since(began) > longPause {
			pause = firstPause
		}
		sleep(ctx, pause)
	}
	others.Wait()
	return nil
}

// listen hears notices until the connection breaks.
func (r *Replicas) listen(ctx context.Context) error {
	l, err := store.Listen(ctx, r.pool, r.presence.self)
	if err != nil {
		return err
	}
	defer l.Close(ctx)
	listeners, err := store.Listeners(ctx, r.pool)
	if err != nil {
		return err
	}
	// Before we may count as alone: what somebody wrote whom we did not hear, and who is gone.
	if _, err := r.follower.learn(ctx, r.follower.followed()); err != nil {
		return err
	}
	r.presence.hear(listeners)
	r.outbox.say(saysHello)
	r.inbox.put(true)
	r.cfg.Changed(entity.MissedAll())
	defer time.AfterFunc(r.cfg.Wait, r.presence.waitNoLonger).Stop()
	for {
		text, err := l.Next(ctx)
		if err != nil {
			return err
		}
		r.heard(text)
	}
}

// heard does what a notice asks for. Both who is new and who is known catch up with all that the other may have written
// without telling; from now on each tells. So does who has been away with what the others may have changed meanwhile.
func (r *Replicas) heard(text string) {
	n, ok := parseNotice(text)
	switch {
	case !ok: // of another version
		r.cfg.Changed(entity.MissedAll())
		return
	case n.from == r.presence.self:
		return
	}
	r.metrics.heard.Inc()
	if n.kind == saysChanged {
		r.cfg.Changed(n.changes...)
		return
	}
	isNew, isAnswer := r.presence.heard(n.from, n.kind == saysHello)
	if isNew || n.kind == saysHello {
		r.outbox.say(saysHere)
	}
	r.inbox.put(isNew || n.kind != saysWrote, n.projects...)
	if isAnswer || isNew && n.kind != saysHello {
		r.cfg.Changed(entity.MissedAll())
	}
}

// tellAll sends what is in the outbox, and no more often than it may.
func (r *Replicas) tellAll(ctx context.Context) {
	for pause := r.cfg.Pause; ctx.Err() == nil; {
		select {
		case <-r.outbox.wake:
			if r.tell(ctx) {
				pause = r.cfg.Pause
			} else {
				pause = min(2*pause, r.cfg.Poll)
			}
			sleep(ctx, pause)
		case <-ctx.Done():
		}
	}
	r.tell(context.WithoutCancel(ctx))
}

// tell empties the outbox and reports whether all of it was sent. What cannot be sent becomes a notice that says less and
// means more.
func (r *Replicas) tell(ctx context.Context) (all bool) {
	all = true
	for _, n := range r.outbox.take() {
		ctx, cancel := context.WithTimeout(ctx, tellFor)
		err := store.Notify(ctx, r.pool, n.texts()...)
		cancel()
		if err == nil {
			r.metrics.told.Inc()
			continue
		}
		r.cfg.Log.WarnContext(ctx, "tell the other replicas", "error", err)
		switch n.kind {
		case saysChanged:
			r.outbox.changed(n.changes...)
		case saysWrote:
			r.outbox.say(saysHere)
		default:
			r.outbox.say(n.kind)
		}
		all = false
	}
	return all
}

// tellFor is how long sending a notice may take.
const tellFor = 5 * time.Second

// followAll catches up with what is in the inbox, and while there are others also with what is not.
func (r *Replicas) followAll(ctx context.Context) {
	for looked := time.Now(); ctx.Err() == nil; {
		var due <-chan time.Time
		if r.follower.shared.Load() {
			due = time.After(time.Until(looked.Add(r.cfg.Poll)))
		}
		var err error
		select {
		case <-r.inbox.wake:
			err = r.catchUp(ctx)
		case <-due:
			err = r.look(ctx)
			looked = time.Now()
		case <-ctx.Done():
		}
		if err != nil && ctx.Err() == nil {
			r.cfg.Log.WarnContext(ctx, "follow the other replicas", "error", err)
		}
	}
}

func (r *Replicas) catchUp(ctx context.Context) error {
	all, projects := r.inbox.take()
	if all {
		projects = r.follower.followed()
	}
	return r.follower.catchUpSome(ctx, projects)
}

// look finds out who is there and what was committed. In this order, and before somebody counts as ended: then nobody
// is missed, and nothing of his.
func (r *Replicas) look(ctx context.Context) error {
	listeners, err := store.Listeners(ctx, r.pool)
	if err != nil {
		return err
	}
	followed, err := r.follower.learn(ctx, r.follower.followed())
	if err != nil {
		return err
	}
	isNew, isGone := r.presence.look(listeners)
	if isNew {
		r.outbox.say(saysHere)
	}
	if isGone {
		r.cfg.Changed(entity.MissedAll()) // it may not have come to tell of its last changes
	}
	return r.follower.readOn(ctx, followed)
}
