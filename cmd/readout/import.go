package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/sender"
	"github.com/readout-dev/readout/reading"
)

// importCmd sends all readings of CSV files through the same door as any device, over several connections. It takes what
// an export writes, one reading a line, and wide files, one time a line. The last reading of a series and time is the one
// that counts, so the requests of one series keep their order. An interrupted import goes on where it stopped.
type importCmd struct {
	Files []string `arg:"" name:"file" help:"CSV files with a header; - is the standard input. Without --device their columns are device, metric, time, value and, if you like, labels (a JSON object) and unit."`

	Device     string            `help:"The device that the readings are of. With it a file is wide: a column of times, and each other column is a metric."`
	TimeColumn string            `default:"1" placeholder:"NAME|NUMBER" help:"Wide files: column of the times, by its name in the header or its number, counted from 1."`
	Column     []string          `sep:"none" placeholder:"METRIC" help:"Wide files: take this column, and no others but those named so; may be repeated."`
	Unit       map[string]string `mapsep:"none" placeholder:"METRIC=UNIT" help:"Wide files: a metric's unit, a UCUM code; may be repeated."`
	Label      map[string]string `mapsep:"none" placeholder:"KEY=VALUE" help:"Wide files: a label of all series; may be repeated."`

	URL string `env:"READOUT_URL" default:"http://127.0.0.1:8080" help:"The server's address."`
	Key string `env:"READOUT_KEY" help:"A key with the scope ingest, of the project or of the device; better given by the environment than on the command line, which others may see."`

	Zone      string `default:"UTC" help:"Zone of times that name none, such as Europe/Sofia. A time that the zone skips is wrong; one that it has twice is taken as the one nearer to the line before, at first as the earlier."`
	Precision string `enum:"s,ms,us,ns," default:"" placeholder:"s|ms|us|ns" help:"Unit of times that are integers, counted from 1970. Default: ms, and then an integer that falls into 1970 is wrong, for it counts seconds."`

	Connections int  `default:"4" help:"Requests under way at once, at most."`
	Batch       int  `default:"10000" help:"Readings in one request, at most."`
	Gzip        bool `help:"Compress requests: for a slow network."`
	SkipBad     bool `help:"Skip lines that are wrong, and count them. Without, the first one ends the import."`
	Restart     bool `help:"Begin at the beginning, even if an earlier import was interrupted."`
	Quiet       bool `short:"q" help:"Show no progress."`
	JSON        bool `help:"Print the summary as one JSON line: sent, accepted, late, missing, bad, resumed, seconds."`
}

// Run imports the files, or what is left of them.
func (c *importCmd) Run(ctx context.Context, con console) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = c.Connections
	return c.run(ctx, con, replayWorld{stdin: os.Stdin, cache: os.UserCacheDir, http: &http.Client{
		Transport: transport, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
}

func (c *importCmd) run(ctx context.Context, con console, w replayWorld) error {
	if err := c.check(); err != nil {
		return err
	}
	total, began := &importTotal{}, time.Now()
	var marks []*replayMarks
	for _, name := range c.Files {
		kept, err := c.file(ctx, con, w, name, total)
		if err != nil {
			return err
		}
		marks = append(marks, kept)
	}
	for _, kept := range marks {
		kept.remove()
	}
	return total.print(con.out, time.Since(began), c.JSON)
}

// file imports one file to its end, and returns its mark, which keeps it from being imported again until all are in.
func (c *importCmd) file(ctx context.Context, con console, w replayWorld, name string, total *importTotal) (_ *replayMarks, err error) {
	file, err := openReplayFile(name, w.stdin)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	times, err := newReplayTimes(c.Zone, c.Precision)
	if err != nil {
		return nil, err
	}
	run := &importRun{
		cmd: c, name: name, size: file.size, lines: newImportLines(file), clock: &importClock{times: times},
		progress: newReplayProgress(con.err, name, c.Quiet), total: total,
	}
	run.sender = &sender.Sender{URL: c.URL, Key: c.Key, HTTP: w.http, Gzip: c.Gzip, Patience: 5 * time.Minute, OnRetry: run.retried}
	run.resume(file, w.cache)
	err = run.all(ctx)
	run.progress.end()
	if err != nil {
		return nil, run.explain(ctx, err)
	}
	return run.marks, nil
}

// check refuses what no server would take, before anything is sent. Each fault names the flag.
func (c *importCmd) check() error {
	if c.Key == "" {
		return fault.New(fault.Invalid, "--key is missing: give a key with the scope ingest, or set READOUT_KEY; readout key create makes one")
	}
	if err := (&sender.Sender{URL: c.URL, Key: c.Key}).Check(); err != nil {
		return fault.New(fault.Invalid, "%s: check --url and --key", fault.Of(err).Message)
	}
	if c.Batch < 1 || c.Batch > ingest.MaxReadings {
		return fault.New(fault.Invalid, "--batch must be 1 to %d readings", ingest.MaxReadings)
	}
	if c.Connections < 1 || c.Connections > 64 {
		return fault.New(fault.Invalid, "--connections must be 1 to 64")
	}
	if c.Device == "" {
		if c.TimeColumn != "1" || len(c.Column)+len(c.Unit)+len(c.Label) > 0 {
			return fault.New(fault.Invalid, "--time-column, --column, --unit and --label are for wide files: name their --device")
		}
		return nil
	}
	labels, err := reading.NewLabels(c.Label)
	if err != nil {
		return fault.New(fault.Invalid, "--label: %s", fault.Of(err).Message)
	}
	if err := (reading.Series{Device: c.Device, Metric: "any", Labels: labels}).Check(); err != nil {
		return fault.New(fault.Invalid, "--%s", fault.Of(err).Message) // the message begins with the field, which the flag is called after
	}
	return checkReplayColumn("--time-column", c.TimeColumn)
}

// importTotal is what an import did, over all its files.
type importTotal struct {
	Sent     int     `json:"sent"`
	Accepted int     `json:"accepted"`
	Late     int     `json:"late"`
	Missing  int     `json:"missing"` // places without a value
	Bad      int     `json:"bad"`     // lines skipped
	Resumed  int     `json:"resumed"` // readings that earlier runs have stored
	Seconds  float64 `json:"seconds"`
}

func (t *importTotal) print(w io.Writer, took time.Duration, asJSON bool) error {
	t.Seconds = took.Seconds()
	if asJSON {
		return json.NewEncoder(w).Encode(t)
	}
	text := fmt.Sprintf("sent %s readings in %.1f s (%s/s): %s accepted, %s of them late", grouped(t.Sent), t.Seconds,
		grouped(int(float64(t.Sent)/max(t.Seconds, 1e-6))), grouped(t.Accepted), grouped(t.Late))
	if t.Missing > 0 {
		text += fmt.Sprintf("; %s places without a value", grouped(t.Missing))
	}
	if t.Bad > 0 {
		text += fmt.Sprintf("; %s bad lines skipped", grouped(t.Bad))
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// explain makes of err what the user should do about it.
func (r *importRun) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		// Not ctx's error, which main takes for a wish that was granted: part of the file is missing.
		return fmt.Errorf("interrupted. %s", r.rest())
	}
	var line *replayLineError
	if errors.As(err, &line) {
		f := fault.New(fault.Invalid, "%s. What precedes it is stored; mend the line, or skip what is wrong with --skip-bad", line)
		f.Line = line.line
		return f
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return err // of this machine: reading the file, writing the mark
	}
	return fault.Wrap(f.Err, f.Code, "%s%s. %s", f.Message, importRemedy(f.Code), r.rest())
}

// rest says how to go on.
func (r *importRun) rest() string {
	switch mark := r.mark(); {
	case mark.Line == 0:
		return fmt.Sprintf("Not much of %s is stored yet: the same command sends it again", r.name)
	case r.marks.path == "":
		return fmt.Sprintf("%s is stored up to line %s; sent again, readings are stored once", r.name, grouped(mark.Line))
	default:
		return fmt.Sprintf("%s is stored up to line %s: the same command goes on from there, and with --restart from the beginning",
			r.name, grouped(mark.Line))
	}
}

// importRemedy names the flag that may mend a fault that the server answered with.
func importRemedy(code fault.Code) string {
	switch code {
	case fault.Unauthenticated:
		return ": check --key or READOUT_KEY"
	case fault.Forbidden:
		return ": --key must have the scope ingest and be of the project, or of the only device"
	case fault.NotFound, fault.Unavailable:
		return ": check --url"
	case fault.UnknownDevice:
		return ": create the device, or let the project make unknown ones"
	case fault.TooLarge:
		return ": lower --batch"
	}
	return ""
}

// settings is what makes an import another one: a mark of one is not the other's.
func (c *importCmd) settings() []any {
	return []any{c.URL, c.Key, c.Device, c.TimeColumn, c.Column, c.Unit, c.Label, c.Zone, c.Precision}
}
