package graph

import (
	"math"
	"slices"
	"time"

	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/stats"
)

// What one event of live readings holds at most, before it is thinned; but an entry is never divided.
const (
	maxEventReadings = 1000
	maxEventEntries  = 64
	maxMerged        = 20_000 // readings, of an event that may come seldom, from any number of entries
)

// batch is what an event is made of: matching readings and deletions of consecutive entries, in their order.
type batch struct {
	first, last int64     // offsets of entries
	at          time.Time // when the last was written
	entries     int
	deleted     []*gql.DeletedReadings
	readings    []*gql.LiveReading
	full        bool // the event is to go, whatever comes next
}

func (b *batch) empty() bool { return b.entries == 0 }

// begin counts an entry in.
func (b *batch) begin(e *journal.Entry) {
	if b.empty() {
		b.first = e.Offset
	}
	b.last, b.at = e.Offset, e.At
	b.entries++
}

// readingsOf adds the readings that an entry has of a series that matches.
func (b *batch) readingsOf(f *followed, run []reading.Reading) {
	shown := make([]gql.LiveReading, len(run))
	b.readings = slices.Grow(b.readings, len(run))
	for i, r := range run {
		shown[i] = gql.LiveReading{Kind: f.judge(r.Time), Series: f.series, Time: time.UnixMicro(r.Time).UTC(), Value: r.Value}
		b.readings = append(b.readings, &shown[i])
	}
}

// deletion adds a deletion; its series is nil when it is gone.
func (b *batch) deletion(d reading.Deletion, f *followed) {
	shown := &gql.DeletedReadings{Kind: gql.ReadingKindDeleted, SeriesID: d.Series, Series: f.series}
	if d.From > 0 { // no reading is older
		from := time.UnixMicro(d.From).UTC()
		shown.From = &from
	}
	if d.To < math.MaxInt64 {
		to := time.UnixMicro(d.To).UTC()
		shown.To = &to
	}
	b.deleted = append(b.deleted, shown)
}

// settle says whether the batch is full: of entries or readings, or, where it is merged, of more readings than are left when
// it is thinned to points of each series (0: it is not).
func (b *batch) settle(merged bool, points int) {
	size := len(b.readings) + len(b.deleted)
	if !merged {
		b.full = size >= maxEventReadings || b.entries >= maxEventEntries
		return
	}
	if size < maxMerged {
		return
	}
	b.readings = thinned(b.readings, points)
	b.full = len(b.readings)+len(b.deleted) > maxMerged/2 // else it would be thinned again and again
}

// thinned leaves at most n readings of each series, those that show its peaks, where they were; n = 0 leaves all.
func thinned(rs []*gql.LiveReading, n int) []*gql.LiveReading {
	if n == 0 || len(rs) <= n {
		return rs
	}
	places := map[int64][]int{}
	for i, r := range rs {
		places[r.Series.ID] = append(places[r.Series.ID], i)
	}
	for _, of := range places {
		if len(of) > n {
			thin(rs, of, n)
		}
	}
	return slices.DeleteFunc(rs, func(r *gql.LiveReading) bool { return r == nil })
}

// thin makes nil those of the readings of one series, which are at the places of, that are not kept. Of several with the same
// time it is the last that counts.
func thin(rs []*gql.LiveReading, of []int, n int) {
	sorted := make([]reading.Reading, len(of))
	for i, place := range of {
		sorted[i] = reading.Reading{Time: rs[place].Time.UnixMicro(), Value: rs[place].Value}
	}
	kept := map[int64]bool{}
	for _, r := range stats.MinMax(reading.Sort(sorted), n) {
		kept[r.Time] = true
	}
	for _, place := range slices.Backward(of) {
		t := rs[place].Time.UnixMicro()
		if !kept[t] {
			rs[place] = nil
		}
		delete(kept, t)
	}
}
