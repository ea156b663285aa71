package graph

import (
	"testing"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/live"
	"github.com/readout-dev/readout/reading"
)

// An entry of ten readings, of which a stream follows one series or all, from the hub to an event.
func BenchmarkLiveReadings(b *testing.B) {
	for name, followedSeries := range map[string]int64{"one of ten": 1, "ten": 10} {
		b.Run(name, func(b *testing.B) {
			const project = 1
			hub := live.New(nil, live.Config{})
			hub.Start(journal.Beginning{Project: project})
			r := &Resolver{Hub: hub, Cursors: NewCursors([]byte("bench"))}
			s := &readingStream{Resolver: r, ctx: b.Context(), project: project, shared: true}
			s.matches = newMatches(nil, project, db.SeriesWhereInput{})
			s.place = r.placeAt(project, 0)
			defer s.Close()
			e := journal.Entry{Project: project, At: time.Now(), Readings: make([]reading.Reading, 10)}
			for i := range int64(10) {
				e.Readings[i] = reading.Reading{Series: i, Value: 21.5}
				if i < followedSeries {
					s.follow(i).series = &db.Series{ID: i}
				} else {
					s.pass(i)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				e.Offset++
				hub.Apply(e)
				if _, _, err := s.Next(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
