package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/readout-dev/readout/store"
)

// statsCmd tells how much is stored, and how well.
type statsCmd struct {
	Config `embed:""`

	Project int64 `placeholder:"ID" help:"Tell of this project alone."`
	JSON    bool  `help:"Print one JSON object."`
}

// statsReport is what a statsCmd tells.
type statsReport struct {
	Projects   []projectReport   `json:"projects"`
	Partitions []partitionReport `json:"partitions"`
}

type projectReport struct {
	ID               int64         `json:"id"`
	Name             string        `json:"name"`
	Readings         int64         `json:"readings"`        // packed ones
	Bytes            int64         `json:"bytes"`           // of all but the journal
	BytesPerReading  float64       `json:"bytesPerReading"` // 0 when nothing is packed
	UnpackedEntries  int64         `json:"unpackedEntries"`
	UnpackedReadings int64         `json:"unpackedReadings"`
	LagSeconds       float64       `json:"lagSeconds"` // age of the oldest unpacked entry
	Tables           []tableReport `json:"tables"`
}

type tableReport struct {
	Table           string  `json:"table"`
	Rows            int64   `json:"rows"`
	Readings        int64   `json:"readings"`
	Bytes           int64   `json:"bytes"`
	BytesPerReading float64 `json:"bytesPerReading"` // 0 for a table without readings
}

type partitionReport struct {
	Table  string `json:"table"`
	Count  int    `json:"count"`
	Bytes  int64  `json:"bytes"`
	Oldest string `json:"oldest"`
	Newest string `json:"newest"`
}

// Run tells.
func (c *statsCmd) Run(ctx context.Context, con console) (err error) {
	d, err := reachDatabase(ctx, c.Config, con)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if _, err := projectsOf(ctx, d, c.Project); err != nil {
		return err
	}
	report, err := newStatsReport(ctx, d, c.Project)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(con.out).Encode(report)
	}
	return report.print(con)
}

func newStatsReport(ctx context.Context, d *database, project int64) (r statsReport, err error) {
	stats, err := store.Stats(ctx, d.pool, project)
	if err != nil {
		return r, err
	}
	for _, s := range stats {
		r.Projects = append(r.Projects, newProjectReport(s, time.Now()))
	}
	partitions, err := store.Partitions(ctx, d.pool)
	for _, p := range partitions {
		r.Partitions = append(r.Partitions, partitionReport(p))
	}
	return r, err
}

func newProjectReport(s store.ProjectStats, now time.Time) projectReport {
	p := projectReport{
		ID: s.Project, Name: s.Name, UnpackedEntries: s.UnpackedEntries, UnpackedReadings: s.UnpackedReadings,
		Readings: s.Tables["young"].Readings + s.Tables["chunk"].Readings,
	}
	if !s.Oldest.IsZero() {
		p.LagSeconds = max(now.Sub(s.Oldest).Seconds(), 0)
	}
	for _, name := range store.StatsTables {
		t := s.Tables[name]
		p.Tables = append(p.Tables, tableReport{name, t.Rows, t.Readings, t.Bytes, perReading(t.Bytes, t.Readings)})
		if name != "journal" {
			p.Bytes += t.Bytes
		}
	}
	p.BytesPerReading = perReading(p.Bytes, p.Readings)
	return p
}

func perReading(bytes, readings int64) float64 {
	if readings == 0 {
		return 0
	}
	return float64(bytes) / float64(readings)
}

func (r statsReport) print(con console) error {
	for _, p := range r.Projects {
		fmt.Fprintf(con.out, "project %d %s\n", p.ID, p.Name)
		fmt.Fprintf(con.out, "packed: %s readings, %s, %.2f bytes a reading\n", grouped(int(p.Readings)), megabytes(p.Bytes), p.BytesPerReading)
		fmt.Fprintf(con.out, "tail: %s readings in %s entries, the oldest %.0f s old\n", grouped(int(p.UnpackedReadings)), grouped(int(p.UnpackedEntries)), p.LagSeconds)
		t := newTable(con.out, false, "table", "rows", "readings", "size", "bytes a reading")
		for _, one := range p.Tables {
			each := ""
			if one.Readings > 0 {
				each = fmt.Sprintf("%.2f", one.BytesPerReading)
			}
			t.row(one.Table, grouped(int(one.Rows)), grouped(int(one.Readings)), megabytes(one.Bytes), each)
		}
		if err := t.end(); err != nil {
			return err
		}
		fmt.Fprintln(con.out)
	}
	t := newTable(con.out, false, "partitions of", "count", "size", "oldest", "newest")
	for _, p := range r.Partitions {
		t.row(p.Table, p.Count, megabytes(p.Bytes), p.Oldest, p.Newest)
	}
	return t.end()
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
