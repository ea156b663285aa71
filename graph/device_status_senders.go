package graph

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/device"
	"github.com/readout-dev/readout/ent/db/predicate"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/journal"
)

// maxSenders is how many devices one subscription to their states may have.
const maxSenders = 10_000

// senders are the devices of a project that match, and whether each of them is online.
type senders struct {
	*Resolver
	project  int64
	matching predicate.Device
	silent   time.Duration // so long after its last reading a device is offline

	known   map[int64]*sender
	of      map[int64]*sender // by series; nil: its device does not match
	stirred map[*sender]bool  // those that are new, or offline and have sent
	due     time.Time         // not before this one of them goes offline; zero: none is online
}

// sender is a device.
type sender struct {
	device *db.Device
	last   time.Time // when its last reading arrived, or the time of its newest one; zero: never
	online bool
	isNew  bool // nobody was told of it
}

func newSenders(r *Resolver, project int64, matching predicate.Device, silent time.Duration) *senders {
	return &senders{Resolver: r, project: project, matching: matching, silent: silent, stirred: map[*sender]bool{}}
}

// devicesOf returns what holds for the devices of a project that a filter matches; fault Invalid for a filter that says
// nothing in a part.
func devicesOf(project int64, where *db.DeviceWhereInput) (predicate.Device, error) {
	in := device.ProjectID(project)
	if where == nil {
		return in, nil
	}
	matching, err := where.P()
	if err == db.ErrEmptyDeviceWhereInput { //nolint:errorlint // wrapped, it is of a part
		return in, nil
	}
	if err != nil {
		return nil, err
	}
	return device.And(in, matching), nil
}

// find looks for the devices that match and for their series. What was known of a device stays; of a new one the time of its
// newest reading counts. Fault TooLarge for too many devices.
func (s *senders) find(ctx context.Context) error {
	devices, err := s.Client.Device.Query().Where(s.matching).Limit(maxSenders + 1).All(ctx)
	if err != nil {
		return err
	}
	if len(devices) > maxSenders {
		return fault.New(fault.TooLarge, "these are more than %d devices: select some by where", maxSenders)
	}
	found, err := s.seriesOf(ctx, series.HasDeviceWith(s.matching))
	if err != nil {
		return err
	}
	known, begun := make(map[int64]*sender, len(devices)), map[int64]*sender{}
	for _, d := range devices {
		k := s.known[d.ID]
		if k == nil {
			k = &sender{isNew: true}
			begun[d.ID] = k
		}
		k.device = d
		known[d.ID] = k
	}
	if err := s.begin(ctx, begun, found); err != nil {
		return err
	}
	s.known, s.of = known, make(map[int64]*sender, len(found))
	for series, device := range found {
		s.of[series] = known[device]
	}
	maps.DeleteFunc(s.stirred, func(k *sender, _ bool) bool { return known[k.device.ID] != k })
	return nil
}

// begin takes note of when new senders have sent last: at the time of the newest reading that one of its series has.
func (s *senders) begin(ctx context.Context, begun map[int64]*sender, devices map[int64]int64) error {
	var ids []int64
	for series, device := range devices {
		if begun[device] != nil {
			ids = append(ids, series)
		}
	}
	newest, err := s.History.Latest(ctx, s.project, ids)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	for _, r := range newest {
		k, t := begun[devices[r.Series]], time.UnixMicro(r.Time).UTC()
		if t.After(now) { // by a clock that is ahead
			t = now
		}
		if t.After(k.last) {
			k.last = t
		}
	}
	for _, k := range begun {
		s.stirred[k] = true
	}
	return nil
}

// seriesOf returns the devices of the series that hold to what is said.
func (s *senders) seriesOf(ctx context.Context, which predicate.Series) (devices map[int64]int64, err error) {
	found, err := s.Client.Series.Query().Where(series.ProjectID(s.project), which).Select(series.FieldID, series.FieldDeviceID).All(ctx)
	devices = make(map[int64]int64, len(found))
	for _, f := range found {
		devices[f.ID] = f.DeviceID
	}
	return devices, err
}

// learn looks up series that were not met before.
func (s *senders) learn(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	found, err := s.seriesOf(ctx, series.IDIn(ids...))
	if err != nil {
		return err
	}
	for _, id := range ids {
		s.of[id] = s.known[found[id]]
	}
	return nil
}

// unknown returns the series of an entry that were not met before.
func (s *senders) unknown(e *journal.Entry) (ids []int64) {
	for id := range e.Runs {
		if _, known := s.of[id]; !known {
			ids = append(ids, id)
		}
	}
	return ids
}

// concern says of all series that were met whether they are those of senders.
func (s *senders) concern() map[int64]bool {
	concern := make(map[int64]bool, len(s.of))
	for id, of := range s.of {
		concern[id] = of != nil
	}
	return concern
}

// heard takes note of a reading that has arrived. It reports whether that may be news.
func (s *senders) heard(k *sender, at time.Time) bool {
	if at.After(k.last) {
		k.last = at
	}
	if !k.online {
		s.stirred[k] = true
	}
	return !k.online
}

// settle says who is online now, and returns those of whom it was not so before, and the new ones.
func (s *senders) settle(now time.Time) (changed []*sender) {
	for k := range s.stirred {
		if on := s.until(k).After(now); on != k.online || k.isNew {
			k.online, k.isNew = on, false
			changed = append(changed, k)
		}
		if k.online {
			s.dueBy(s.until(k))
		}
	}
	clear(s.stirred)
	if !s.due.IsZero() && !now.Before(s.due) {
		changed = append(changed, s.fallSilent(now)...)
	}
	slices.SortFunc(changed, func(a, b *sender) int { return cmp.Compare(a.device.ID, b.device.ID) })
	return changed
}

// fallSilent takes those offline that have sent nothing for long enough.
func (s *senders) fallSilent(now time.Time) (changed []*sender) {
	s.due = time.Time{}
	for _, k := range s.known {
		switch until := s.until(k); {
		case !k.online:
		case until.After(now):
			s.dueBy(until)
		default:
			k.online = false
			changed = append(changed, k)
		}
	}
	return changed
}

// until is when a device goes offline that sends nothing more.
func (s *senders) until(k *sender) time.Time { return k.last.Add(s.silent) }

func (s *senders) dueBy(t time.Time) {
	if s.due.IsZero() || t.Before(s.due) {
		s.due = t
	}
}

// all returns what was told of each device, in order of their ids.
func (s *senders) all() []*gql.DeviceStatus {
	told := make([]*sender, 0, len(s.known))
	for _, id := range slices.Sorted(maps.Keys(s.known)) {
		if k := s.known[id]; !k.isNew {
			told = append(told, k)
		}
	}
	return showSenders(told)
}

// showSenders returns the states of devices as clients see them.
func showSenders(senders []*sender) []*gql.DeviceStatus {
	list := make([]*gql.DeviceStatus, len(senders))
	for i, k := range senders {
		list[i] = &gql.DeviceStatus{Device: k.device, State: gql.DeviceStateOffline}
		if k.online {
			list[i].State = gql.DeviceStateOnline
		}
		if last := k.last; !last.IsZero() {
			list[i].LastSeen = &last
		}
	}
	return list
}
