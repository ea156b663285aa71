package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"
)

// ReadingsOptions is what to subscribe to.
type ReadingsOptions struct {
	Project string         // its id; empty: the one that the credential has, or that Series is of
	Series  map[string]any // the filter, a SeriesWhereInput as {"metric": "temperature"}; nil: all of the project

	From  time.Time // begins with the readings from then on; zero: with what comes
	After string    // in place of From: goes on after the event that had this Cursor

	OnLag     LagPolicy     // empty: LagReplay
	MaxRate   float64       // events a second at most; 0: any
	MaxPoints int           // readings of a series in one event, and in its history, at most, those that show its peaks; 0: all
	Heartbeat time.Duration // an event comes at least so often, 1 s to 1 h; 0: only when there is something to tell
}

// LagPolicy says what becomes of events for a caller that does not take them as quickly as they come.
type LagPolicy string

// The policies.
const (
	LagReplay   LagPolicy = "REPLAY"   // they come later
	LagCoalesce LagPolicy = "COALESCE" // the newest reading of each series comes, and a Gap
	LagGap      LagPolicy = "GAP"      // a Gap comes
	LagClose    LagPolicy = "CLOSE"    // the connection is closed, and the client goes on after its cursor
)

// ReadingEvent is what has come: deletions, then readings.
type ReadingEvent struct {
	Cursor    string        `json:"cursor"` // empty in history
	Offset    int64         `json:"offset"` // of the journal: all up to there was told; 0 in history
	CaughtUp  bool          `json:"caughtUp"`
	Heartbeat bool          `json:"heartbeat"` // there is nothing to tell
	Deleted   []Deletion    `json:"deleted"`
	Readings  []LiveReading `json:"readings"`
	Gap       *Gap          `json:"gap"` // nil: nothing was left out

	Anew bool `json:"-"` // it begins again; see Event
}

// LiveReading is a reading that has come. A series has one reading at a time: the last that came.
type LiveReading struct {
	Kind   Kind      `json:"kind"`
	Series Series    `json:"series"`
	Time   time.Time `json:"time"`
	Value  float64   `json:"value"`
}

// Kind says what a reading is to those that its series had.
type Kind string

// The kinds.
const (
	KindNew  Kind = "NEW"  // newer than all of them
	KindLate Kind = "LATE" // not newer, or in place of one of them
)

// Series is what was measured, and where.
type Series struct {
	ID     string            `json:"id"`
	Metric string            `json:"metric"`
	Unit   string            `json:"unit"`
	Labels map[string]string `json:"labels"`
	Device Device            `json:"device"`
}

// Device is what measures.
type Device struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Deletion is the end of readings of a series.
type Deletion struct {
	SeriesID string     `json:"seriesID"`
	Series   *Series    `json:"series"` // nil: it is gone itself
	From     *time.Time `json:"from"`   // nil: from the first
	To       *time.Time `json:"to"`     // before it; nil: to the last
}

// Gap is what was left out for a caller that lagged behind.
type Gap struct {
	From  int64  `json:"from"` // the first entry of the journal
	To    int64  `json:"to"`   // the last
	After string `json:"after"`
}

const readingsQuery = `subscription Readings(
  $project: ID, $series: SeriesWhereInput!, $from: Time, $after: Cursor, $onLag: LagPolicy, $maxRate: Float, $maxPoints: Int, $heartbeat: Duration
) {
  readings(
    project: $project, series: $series, from: $from, after: $after, onLag: $onLag, maxRate: $maxRate, maxPoints: $maxPoints, heartbeat: $heartbeat
  ) {
    cursor offset caughtUp heartbeat
    deleted { seriesID series { ...Series } from to }
    readings { kind series { ...Series } time value }
    gap { from to after }
  }
}
fragment Series on Series { id metric unit labels device { id name } }`

// Readings gives the readings of the series that match, also of those that come to exist later, as they are committed; see
// Subscribe for how it ends. Every reading comes once, and across broken connections too, but for these:
//
//   - a connection that breaks during the history of From begins it again: see ReadingEvent.Anew;
//   - a reading that was sent to the server twice is there twice, the second time as KindLate.
func (c *Client) Readings(ctx context.Context, o ReadingsOptions) iter.Seq2[ReadingEvent, error] {
	events := c.Subscribe(ctx, Request{Query: readingsQuery, Variables: o.variables()})
	return func(yield func(ReadingEvent, error) bool) {
		for e, err := range events {
			var r ReadingEvent
			if err == nil {
				r, err = readingsIn(e)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func readingsIn(e Event) (ReadingEvent, error) {
	if len(e.Errors) > 0 {
		return ReadingEvent{}, e.Errors
	}
	var data struct{ Readings ReadingEvent }
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return ReadingEvent{}, fmt.Errorf("read an event: %w", err)
	}
	data.Readings.Anew = e.Anew
	return data.Readings, nil
}

// variables leaves out what was not said: the schema has the defaults.
func (o ReadingsOptions) variables() map[string]any {
	v := map[string]any{"series": o.Series}
	if o.Series == nil {
		v["series"] = struct{}{}
	}
	if o.Project != "" {
		v["project"] = o.Project
	}
	if !o.From.IsZero() {
		v["from"] = o.From.UTC().Format(time.RFC3339Nano)
	}
	if o.After != "" {
		v["after"] = o.After
	}
	if o.OnLag != "" {
		v["onLag"] = o.OnLag
	}
	if o.MaxRate != 0 {
		v["maxRate"] = o.MaxRate
	}
	if o.MaxPoints != 0 {
		v["maxPoints"] = o.MaxPoints
	}
	if o.Heartbeat != 0 {
		v["heartbeat"] = fmt.Sprintf("PT%gS", o.Heartbeat.Seconds())
	}
	return v
}
