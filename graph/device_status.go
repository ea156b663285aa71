package graph

import (
	"context"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/stats"
)

// statusStream is one execution of the subscription `deviceStatus`. All that it asks for is in memory: while no device of it
// sends, goes offline or is changed, it does nothing. One goroutine has it.
type statusStream struct {
	*senders
	ctx    context.Context // of the execution, for its rights
	place  *place
	unhear func()
	alone  bool // for one subscriber, who is to be given the state of all first

	held     *journal.Entry // taken from place, and not looked at
	narrowed bool           // only the senders' series come from place
	outdated bool           // the senders are to be looked for again,
	renewal  time.Time      // but not before this

	committed time.Time // when the newest entry was that brings news which was not returned yet
}

var _ transport.Stream[[]*gql.DeviceStatus] = (*statusStream)(nil)

// renewalPace is how often the senders are looked for at most, however often they change.
const renewalPace = time.Second

// subscribeDeviceStatus plans a subscription, or starts its execution.
func (r *Resolver) subscribeDeviceStatus(ctx context.Context, in *int64, where *db.DeviceWhereInput, silentAfter *stats.Period) (<-chan []*gql.DeviceStatus, error) {
	silent, err := silence(silentAfter)
	if err != nil {
		return nil, err
	}
	project, err := r.onlyProject(ctx, in)
	if err != nil {
		return nil, err
	}
	matching, err := devicesOf(project, where)
	if err != nil {
		return nil, err
	}
	if transport.Planning(ctx) {
		return transport.Propose[[]*gql.DeviceStatus](ctx, r.share(ctx, project))
	}
	s, err := r.openDeviceStatus(ctx, newSenders(r, project, matching, silent))
	if err != nil {
		return nil, err
	}
	return transport.Pull(ctx, s)
}

// silence returns how long a device may send nothing before it is offline.
func silence(p *stats.Period) (time.Duration, error) {
	if p == nil {
		return 5 * time.Minute, nil
	}
	const day = 24 * time.Hour
	silent := time.Duration(min(p.Days, 31))*day + p.Time
	if p.Months != 0 || silent < time.Second || silent > 30*day {
		return 0, fault.New(fault.Invalid, "silentAfter is from PT1S to P30D")
	}
	return silent, nil
}

// openDeviceStatus follows the senders from here on: they are looked for after the place was taken, so that nothing slips
// through.
func (r *Resolver) openDeviceStatus(ctx context.Context, known *senders) (*statusStream, error) {
	if err := r.Journal.Follow(ctx, known.project); err != nil {
		return nil, err
	}
	head, _ := r.Journal.Applied(known.project)
	s := &statusStream{
		senders: known, ctx: ctx, place: r.placeAt(known.project, head), alone: !transport.PartOf(ctx).Shared, outdated: true,
	}
	s.unhear = r.Entities.Hear(s.hear)
	if err := s.renew(ctx); err != nil {
		s.Close()
		return nil, err
	}
	s.settle(time.Now())
	return s, nil
}

// hear has the senders looked for when there are new ones, or new series of them. Other changes renew every place.
func (s *statusStream) hear(changes []entity.Change) {
	for _, c := range changes {
		if c.Project == s.project && c.Kind == entity.Created && c.Type&(entity.Device|entity.Series) != 0 {
			s.place.renew()
			return
		}
	}
}

// Close implements transport.Stream.
func (s *statusStream) Close() {
	s.unhear()
	s.place.Close()
}

// Place implements transport.Stream: states have none.
func (s *statusStream) Place() int64 { return 0 }

// Until implements transport.Stream.
func (s *statusStream) Until(int64) {}

// First implements transport.Stream.
func (s *statusStream) First(context.Context, bool) ([]*gql.DeviceStatus, transport.Mark, error) {
	return s.all(), transport.Mark{}, nil
}

// Next implements transport.Stream. It only waits under ctx, which ends whenever somebody joins: what it looks up it looks up to
// the end.
func (s *statusStream) Next(ctx context.Context) ([]*gql.DeviceStatus, transport.Mark, error) {
	if s.alone {
		s.alone = false
		return s.First(ctx, false)
	}
	for {
		if err := s.gather(s.ctx); err != nil {
			return nil, transport.Mark{}, err
		}
		if changed := s.settle(time.Now()); len(changed) > 0 {
			mark := transport.Mark{Committed: s.committed}
			s.committed = time.Time{}
			return showSenders(changed), mark, nil
		}
		until := s.due
		if s.outdated && (until.IsZero() || s.renewal.Before(until)) {
			until = s.renewal
		}
		e, ok, err := s.place.await(ctx, until)
		if err != nil {
			return nil, transport.Mark{}, err
		}
		if ok {
			s.held = &e
		}
	}
}

// gather takes in what there is: changes of the senders, and what they have sent.
func (s *statusStream) gather(ctx context.Context) error {
	s.outdated = s.place.renewed() || s.outdated
	if s.outdated && !time.Now().Before(s.renewal) {
		if err := s.renew(ctx); err != nil {
			return err
		}
	}
	if err := s.narrow(ctx); err != nil {
		return err
	}
	for {
		if s.held == nil {
			e, ok := s.place.Take()
			if !ok {
				return nil
			}
			s.held = &e
		}
		if err := s.look(ctx, s.held); err != nil {
			return err
		}
		s.held = nil
	}
}

// renew looks for the senders. Until they are known everything comes from the place, so that nothing of a new one is missed.
func (s *statusStream) renew(ctx context.Context) error {
	s.place.Widen()
	s.narrowed = false
	if err := s.find(ctx); err != nil {
		return err
	}
	s.outdated, s.renewal = false, time.Now().Add(renewalPace)
	return nil
}

// narrow has only what the senders send come from the place.
func (s *statusStream) narrow(ctx context.Context) error {
	for !s.narrowed {
		missing := s.place.Narrow(s.concern())
		if err := s.learn(ctx, missing); err != nil {
			return err
		}
		s.narrowed = len(missing) == 0
	}
	return nil
}

// look takes note of what an entry says of the senders.
func (s *statusStream) look(ctx context.Context, e *journal.Entry) error {
	unknown := s.unknown(e)
	if err := s.learn(ctx, unknown); err != nil {
		return err
	}
	var others []int64
	for _, id := range unknown {
		if s.of[id] == nil {
			others = append(others, id)
		}
	}
	s.place.Decline(others...)
	for id := range e.Runs {
		if of := s.of[id]; of != nil && s.heard(of, e.At) {
			s.committed = e.At
		}
	}
	return nil
}
