package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/sender"
)

// replayRun is one replay under way.
type replayRun struct {
	cmd      *replayCmd
	rows     *replayRows
	sender   *sender.Sender
	pace     replayPace
	marks    *replayMarks
	progress *replayProgress
	size     int64 // of the file in bytes, 0 when nobody knows
	began    time.Time

	times  []int64 // the batch that is next, in microseconds
	values []float64
	first  int // line of its first reading
	last   replayRow
	body   []byte

	done                          replayMark // what is stored, runs before this one included
	resumed                       int        // readings that runs before this one have stored
	sent, accepted, late, skipped int
}

// resume finds out where the last run of the same replay stopped.
func (r *replayRun) resume(file *replayFile, cache func() (string, error)) error {
	marks, err := newReplayMarks(r.cmd, file, cache)
	if err != nil {
		r.progress.note("an interruption will have to begin anew: %s", err)
	}
	r.marks = marks
	if r.cmd.Restart {
		r.marks.remove()
	}
	r.done = r.marks.load()
	r.resumed = r.done.Readings
	if r.done.Line > 0 {
		r.progress.note("going on after line %s, where the last replay stopped (--restart begins anew)", grouped(r.done.Line))
	}
	return nil
}

// send sends what is left of the file. What precedes a line that cannot be read is sent before that is an error.
func (r *replayRun) send(ctx context.Context) error {
	for ctx.Err() == nil {
		row, err := r.rows.next()
		switch {
		case errors.Is(err, io.EOF):
			return r.flush(ctx)
		case err != nil:
			if stopped := r.flush(ctx); stopped != nil {
				return stopped
			}
			return err
		case row.line <= r.done.Line:
		case row.missing:
			r.skipped++
		default:
			if err := r.add(ctx, row); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// add puts a reading into the batch when its time has come.
func (r *replayRun) add(ctx context.Context, row replayRow) error {
	if r.pace.wait(row.time) > 0 {
		if err := r.flush(ctx); err != nil {
			return err
		}
		if err := sleepUntil(ctx, r.pace.wait(row.time)); err != nil {
			return err
		}
	}
	if len(r.times) == 0 {
		r.first = row.line
	}
	r.times, r.values, r.last = append(r.times, row.time), append(r.values, row.value), row
	if len(r.times) < r.cmd.Batch {
		return nil
	}
	return r.flush(ctx)
}

// flush sends the batch and notes that it is stored.
func (r *replayRun) flush(ctx context.Context) error {
	n := len(r.times)
	if n == 0 {
		return ctx.Err()
	}
	c := r.cmd
	r.body = sender.AppendColumn(r.body[:0], c.Device, c.Metric, c.Unit, c.Label, r.times, r.values)
	ack, err := r.sender.Send(ctx, r.body)
	if err != nil {
		return err
	}
	r.times, r.values = r.times[:0], r.values[:0]
	r.sent, r.accepted, r.late = r.sent+n, r.accepted+ack.Accepted, r.late+ack.Late
	r.done = replayMark{Line: r.last.line, Readings: r.done.Readings + n}
	if err := r.marks.save(r.done); err != nil {
		return err
	}
	r.progress.update(r.sent, r.last.end, r.size)
	return nil
}

func sleepUntil(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// explain makes of err what the user should do about it.
func (r *replayRun) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		// Not ctx's error, which main takes for a wish that was granted: part of the file is missing.
		return fmt.Errorf("interrupted. %s", r.rest())
	}
	var line *replayLineError
	if errors.As(err, &line) {
		f := fault.New(fault.Invalid, "%s. The %s readings before it are stored", line, grouped(r.done.Readings))
		f.Line = line.line
		return f
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return err // of this machine: reading the file, writing the mark
	}
	where := ""
	switch f.Code.Door().HTTP {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		where = fmt.Sprintf("%s, lines %d to %d: ", r.cmd.File, r.first, r.last.line)
	}
	return fault.Wrap(f.Err, f.Code, "%s%s%s. %s", where, f.Message, replayRemedy(f.Code), r.rest())
}

// rest says how to go on.
func (r *replayRun) rest() string {
	switch {
	case r.done.Readings == 0:
		return "Nothing is stored yet"
	case r.marks.path == "":
		return fmt.Sprintf("%s readings, up to line %s, are stored; sent again they are stored once", grouped(r.done.Readings), grouped(r.done.Line))
	}
	return fmt.Sprintf("%s readings, up to line %s, are stored: the same command goes on from there, and with --restart from the beginning",
		grouped(r.done.Readings), grouped(r.done.Line))
}

// replayRemedy names the flag that may mend a fault that the server answered with.
func replayRemedy(code fault.Code) string {
	switch code {
	case fault.Unauthenticated:
		return ": check --key or READOUT_KEY"
	case fault.Forbidden:
		return ": --key must have the scope ingest and be of the project, or of --device"
	case fault.NotFound, fault.Unavailable:
		return ": check --url"
	case fault.UnknownDevice:
		return ": check --device, or create the device"
	case fault.UnitMismatch:
		return ": check --unit"
	case fault.TooLarge:
		return ": lower --batch"
	}
	return ""
}

// summary prints what this run did.
func (r *replayRun) summary(w io.Writer) error {
	seconds := time.Since(r.began).Seconds()
	if r.cmd.JSON {
		return json.NewEncoder(w).Encode(struct {
			Sent     int     `json:"sent"`
			Accepted int     `json:"accepted"`
			Late     int     `json:"late"`
			Skipped  int     `json:"skipped"`
			Resumed  int     `json:"resumed"`
			Seconds  float64 `json:"seconds"`
		}{r.sent, r.accepted, r.late, r.skipped, r.resumed, seconds})
	}
	_, err := fmt.Fprintf(w, "sent %s readings in %.1f s (%s/s): %s accepted, %s of them late; %s lines without a value skipped\n",
		grouped(r.sent), seconds, grouped(int(float64(r.sent)/max(seconds, 1e-6))), grouped(r.accepted), grouped(r.late), grouped(r.skipped))
	return err
}
