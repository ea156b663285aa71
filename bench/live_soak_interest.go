package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/client"
)

// interest is what a client subscribes to, and how it checks what comes.
type interest struct {
	request client.Request
	devices []int                      // all of whose values it must be told; none: it may be told nothing
	hear    func(e client.Event) error // tells what is wrong with an event
	told    [soakDevices]int64         // the newest value of each device that was told
	first   []int64                    // of each device the value that comes first at the latest; nil: not known yet
}

var everyDevice = func() (all []int) {
	for d := range soakDevices {
		all = append(all, d)
	}
	return all
}()

// complete reports whether all was told that was stored when acked was noted.
func (i *interest) complete(acked []int64) bool {
	for _, d := range i.devices {
		if i.told[d] < acked[d] {
			return false
		}
	}
	return true
}

// soakDevice is one in an answer, which has one series.
type soakDevice struct{ Name string }

func (d soakDevice) number() int {
	n, _ := strconv.Atoi(strings.TrimPrefix(d.Name, "d"))
	return n
}

// readingsOf takes each reading once, in order: each value of a series is one more than that before.
func (s *soak) readingsOf(series string, devices ...int) *interest {
	i := &interest{devices: devices}
	i.request = client.Request{
		Query: `subscription ($from: Time, $after: Cursor, $maxRate: Float) {
			readings(series: ` + series + `, from: $from, after: $after, maxRate: $maxRate) { cursor caughtUp readings { value series { device { name } } } }
		}`,
		Variables: map[string]any{},
	}
	i.hear = func(e client.Event) error {
		var data struct {
			Readings struct {
				CaughtUp bool
				Readings []struct {
					Value  int64
					Series struct{ Device soakDevice }
				}
			}
		}
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return err
		}
		if e.Anew {
			clear(i.told[:])
		}
		for _, r := range data.Readings.Readings {
			d := r.Series.Device.number()
			if last := i.told[d]; last > 0 && r.Value != last+1 {
				return fmt.Errorf("d%d: %d follows %d", d, r.Value, last)
			}
			if i.told[d] == 0 && i.first != nil && r.Value > max(i.first[d], 1) {
				return fmt.Errorf("d%d: it begins with %d, not with %d or before", d, r.Value, i.first[d])
			}
			i.told[d] = r.Value
		}
		s.readings.Add(int64(len(data.Readings.Readings)))
		if data.Readings.CaughtUp && i.first == nil {
			i.first = s.noteAcked()
			for d := range i.first {
				i.first[d] += 2 // the one that is being stored may have come before it has caught up, too
			}
		}
		return nil
	}
	return i
}

// statistics takes buckets in which no value is missing or there twice.
func (s *soak) statistics(device int) *interest {
	i := &interest{devices: []int{device}}
	i.request.Query = fmt.Sprintf(`subscription { statistics(
		series: %s, range: {from: "-5m"}, window: {every: "PT10S"}, groupBy: [{by: DEVICE}]
	) { device { name } buckets { start count min max } } }`, named(device))
	i.hear = func(e client.Event) error {
		var data struct {
			Statistics []struct {
				Device  soakDevice
				Buckets []struct {
					Start    time.Time
					Count    int64
					Min, Max *int64
				}
			}
		}
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return err
		}
		for _, g := range data.Statistics {
			for _, b := range g.Buckets {
				if b.Count == 0 {
					continue
				}
				if b.Count != *b.Max-*b.Min+1 {
					return fmt.Errorf("%s: %d readings from %d to %d in the bucket of %s", g.Device.Name, b.Count, *b.Min, *b.Max, b.Start)
				}
				d := g.Device.number()
				i.told[d] = max(i.told[d], *b.Max)
			}
		}
		return nil
	}
	return i
}

// latest takes values that never fall.
func (s *soak) latest(device int) *interest {
	i := &interest{devices: []int{device}}
	i.request.Query = fmt.Sprintf(`subscription { live(maxRate: 2) {
		latest(series: %s) { value series { device { name } } }
		devices(first: 2) { totalCount edges { node { name } } }
	} }`, named(device))
	i.hear = func(e client.Event) error {
		var data struct {
			Live struct {
				Latest []struct {
					Value  int64
					Series struct{ Device soakDevice }
				}
			}
		}
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return err
		}
		for _, r := range data.Live.Latest {
			d := r.Series.Device.number()
			if r.Value < i.told[d] {
				return fmt.Errorf("d%d: %d after %d", d, r.Value, i.told[d])
			}
			i.told[d] = r.Value
		}
		return nil
	}
	return i
}

// inRevisions expects each answer to be a patch to the one before, or the whole.
func inRevisions() func(client.Event) error {
	last := int64(0)
	return func(e client.Event) error {
		if e.Revision != 1 && e.Revision != last+1 {
			return fmt.Errorf("revision %d after %d", e.Revision, last)
		}
		last = e.Revision
		return nil
	}
}
