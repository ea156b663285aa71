package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/sender"
)

// importRun is the import of one file:
//
//	lines ─► readings ─► a batch for each connection ─► requests, each connection's one after the other
//	                     (a series keeps to one)
type importRun struct {
	cmd    *importCmd
	name   string
	size   int64 // of the file in bytes, 0 when nobody knows
	lines  *importLines
	clock  *importClock
	layout importLayout
	sender *sender.Sender
	marks  *replayMarks

	row     []importCell
	missing int // places without a value
	bad     int // lines skipped
	batches uint64
	filling []*importBatch // by connection
	queues  []chan *importBatch
	free    chan *importBatch

	mu       sync.Mutex // guards what follows
	progress *replayProgress
	total    *importTotal
	resumed  replayMark // what earlier runs have stored
	stored   int        // readings, by this run
	open     [][]int    // by connection: the first lines of what is not stored yet, in order
	read     int        // all lines up to this one are stored, or in open
	at       int64      // bytes of the file that are read
	saved    time.Time
}

// resume finds out where the last run of the same import stopped.
func (r *importRun) resume(file *replayFile, cache func() (string, error)) {
	marks, err := newMarks("import", file, r.cmd.settings(), cache)
	if err != nil {
		r.progress.note("an interruption will have to begin anew: %s", err)
	}
	r.marks = marks
	if r.cmd.Restart {
		r.marks.remove()
	}
	r.resumed = r.marks.load()
	r.read = r.resumed.Line
	if r.resumed.Line > 0 {
		r.total.Resumed += r.resumed.Readings
		r.progress.note("going on after line %s, where the last import stopped (--restart begins anew)", grouped(r.resumed.Line))
	}
}

// all imports what is left of the file. What precedes a line that is wrong is stored before that is an error.
func (r *importRun) all(ctx context.Context) error {
	if err := r.begin(); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for c, queue := range r.queues {
		group.Go(func() error { return r.connection(ctx, c, queue) })
	}
	var wrong error
	group.Go(func() error {
		defer func() {
			for _, queue := range r.queues {
				close(queue)
			}
		}()
		err := r.parse(ctx)
		if line := (*replayLineError)(nil); errors.As(err, &line) {
			wrong, err = err, nil
		}
		for c := range r.filling {
			if err == nil {
				err = r.hand(ctx, c)
			}
		}
		return err
	})
	err := group.Wait()
	r.total.Missing += r.missing
	r.total.Bad += r.bad
	if err == nil {
		err = wrong
		r.mu.Lock()
		r.read = r.lines.line
		if wrong != nil {
			r.read--
		}
		r.mu.Unlock()
	}
	return errors.Join(err, r.marks.save(r.mark()))
}

// begin reads the header and makes the queues.
func (r *importRun) begin() error {
	header, what, err := r.lines.next()
	for err == nil && what == "" && len(bytes.TrimSpace(header)) == 0 {
		header, what, err = r.lines.next()
	}
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "%s is empty", r.name)
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "cannot read %s", r.name)
	}
	fields := [][]byte(nil)
	if what == "" {
		fields, what = splitFields(nil, bytes.Clone(header))
	}
	if what != "" {
		return fault.New(fault.Invalid, "%s", &replayLineError{r.name, r.lines.line, what})
	}
	if r.cmd.Device == "" {
		r.layout, err = newImportLong(r.name, fields, newImportKnown())
	} else {
		r.layout, err = newImportWide(r.cmd, r.name, fields, newImportKnown())
	}
	n := r.cmd.Connections
	r.open = make([][]int, n)
	r.free = make(chan *importBatch, 3*n)
	for range n {
		r.queues = append(r.queues, make(chan *importBatch, 1))
		r.filling = append(r.filling, r.batch())
	}
	return err
}

// batch returns an empty batch.
func (r *importRun) batch() *importBatch {
	r.batches++
	select {
	case b := <-r.free:
		b.reset(r.batches)
		return b
	default:
		return &importBatch{id: r.batches}
	}
}

// parse reads the file. Its error is a *replayLineError for a line that is wrong.
func (r *importRun) parse(ctx context.Context) error {
	for ctx.Err() == nil {
		line, what, err := r.lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read %s: %w", r.name, err)
		}
		if what == "" && len(line) > 0 {
			what, err = r.line(ctx, line)
		}
		if err != nil {
			return err
		}
		if what == "" || r.lines.line <= r.resumed.Line {
			continue
		}
		if !r.cmd.SkipBad {
			return &replayLineError{r.name, r.lines.line, what}
		}
		r.bad++
	}
	return ctx.Err()
}

// line puts the readings of a line into batches: all of them, or none when something is wrong with it.
func (r *importRun) line(ctx context.Context, line []byte) (what string, err error) {
	done := r.lines.line <= r.resumed.Line
	if done && r.clock.times.zone == time.UTC {
		return "", nil // in a zone that has hours twice, a time depends on the one before
	}
	row, when, what := r.layout.cells(r.row[:0], line)
	if what != "" {
		return what, nil
	}
	r.row = row
	at, what := r.clock.parse(bytes.TrimSpace(when))
	if what != "" || done {
		return what, nil
	}
	for i := range row {
		if row[i].value = bytes.TrimSpace(row[i].value); len(row[i].value) == 0 {
			continue
		}
		if row[i].value, what = importNumber(row[i].value); what != "" {
			return what, nil
		}
	}
	for _, cell := range row {
		if len(cell.value) == 0 {
			r.missing++
			continue
		}
		if err := r.add(ctx, cell, at); err != nil {
			return "", err
		}
	}
	return "", nil
}

// maxImportBody is how long a body may become, in bytes: half of what the door takes.
const maxImportBody = ingest.MaxBody / 2

// add puts a reading into the batch of its series' connection, and hands on what is full.
func (r *importRun) add(ctx context.Context, cell importCell, at int64) error {
	c := int(cell.series.hash % uint64(len(r.filling)))
	b := r.filling[c]
	if len(b.points) == 0 {
		r.mu.Lock()
		r.open[c] = append(r.open[c], r.lines.line)
		r.mu.Unlock()
	}
	b.add(cell.series, r.lines.line, at, cell.value)
	if len(b.points) < r.cmd.Batch && b.size() < maxImportBody {
		return nil
	}
	return r.hand(ctx, c)
}

// hand gives a connection what is gathered for it.
func (r *importRun) hand(ctx context.Context, c int) error {
	b := r.filling[c]
	if len(b.points) == 0 {
		return nil
	}
	r.mu.Lock()
	r.read, r.at = r.lines.line-1, r.lines.end // the rest of this line may not be in a batch yet
	r.mu.Unlock()
	select {
	case r.queues[c] <- b:
	case <-ctx.Done():
		return ctx.Err()
	}
	r.filling[c] = r.batch()
	return nil
}

// connection sends what it is given, one request after the other.
func (r *importRun) connection(ctx context.Context, c int, queue <-chan *importBatch) error {
	for b := range queue {
		ack, err := r.sender.Send(ctx, b.encode())
		if err != nil {
			return r.blame(b, err)
		}
		if err := r.done(c, b, ack); err != nil {
			return err
		}
		select {
		case r.free <- b:
		default:
		}
	}
	return nil
}

// blame says which lines a refused request was made of.
func (r *importRun) blame(b *importBatch, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	switch f.Code.Door().HTTP {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusNotFound:
	default:
		return err
	}
	which := ""
	if f.Index != nil && *f.Index >= 0 && *f.Index < len(b.series) {
		which = fmt.Sprintf(", series %s}", excerpt(string(bytes.TrimSuffix(b.series[*f.Index].head, []byte(`,"times":[`))), 200))
	}
	return fault.Wrap(f.Err, f.Code, "%s, lines %s to %s%s: %s", r.name, grouped(b.first), grouped(b.last), which, f.Message)
}

// done notes that a connection's oldest batch is stored.
func (r *importRun) done(c int, b *importBatch, ack sender.Ack) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[c] = r.open[c][1:]
	n := len(b.points)
	r.stored += n
	r.total.Sent, r.total.Accepted, r.total.Late = r.total.Sent+n, r.total.Accepted+ack.Accepted, r.total.Late+ack.Late
	r.progress.update(r.stored, r.at, r.size)
	if time.Since(r.saved) < time.Second {
		return nil
	}
	r.saved = time.Now()
	return r.marks.save(r.markLocked())
}

// mark returns how far the import came: every line up to it is stored.
func (r *importRun) mark() replayMark {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.markLocked()
}

func (r *importRun) markLocked() replayMark {
	mark := replayMark{Line: r.read, Readings: r.resumed.Readings + r.stored}
	for _, open := range r.open {
		if len(open) > 0 {
			mark.Line = min(mark.Line, open[0]-1)
		}
	}
	return mark
}

// retried tells that a request has to be sent again.
func (r *importRun) retried(retry sender.Retry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.note("%s; trying again in %s", fault.Of(retry.Err).Message, retry.Wait.Round(100*time.Millisecond))
}
