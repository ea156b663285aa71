package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/sender"
	"github.com/readout-dev/readout/reading"
)

// replayCmd sends the readings of a CSV file through the same door as any device: one request after the other, in the
// file's order, because the last reading of a time is the one that counts. An interrupted replay goes on where it
// stopped.
type replayCmd struct {
	File   string            `arg:"" help:"CSV file with a time and a value on each line, with or without a header; - is the standard input."`
	Device string            `required:"" help:"The device that the readings are of."`
	Metric string            `required:"" help:"What was measured, such as temperature."`
	Unit   string            `help:"The values' unit, a UCUM code such as Cel."`
	Label  map[string]string `mapsep:"none" placeholder:"KEY=VALUE" help:"A label of the series; may be repeated."`

	URL string `env:"READOUT_URL" default:"http://127.0.0.1:8080" help:"The server's address."`
	Key string `env:"READOUT_KEY" help:"A key with the scope ingest, of the project or of the device; better given by the environment than on the command line, which others may see."`

	TimeColumn  string `default:"1" placeholder:"NAME|NUMBER" help:"Column of the times: its name in the header, or its number, counted from 1."`
	ValueColumn string `default:"2" placeholder:"NAME|NUMBER" help:"Column of the values. An empty value is missing: it is skipped and counted."`
	Zone        string `default:"UTC" help:"Zone of times that name none, such as Europe/Sofia. A time that the zone skips is refused; one that it has twice is taken as the one nearer to the line before, at first as the earlier."`
	Precision   string `enum:"s,ms,us,ns," default:"" placeholder:"s|ms|us|ns" help:"Unit of times that are integers, counted from 1970. Default: ms, and then an integer that falls into 1970 is refused, for it counts seconds."`

	Speed   replaySpeed `default:"max" placeholder:"N|max" help:"1 sends as fast as the times say, N is N times faster, max as fast as the server takes it."`
	Batch   int         `default:"500" help:"Readings in one request, at most."`
	Restart bool        `help:"Begin at the beginning, even if an earlier replay of this file was interrupted."`
	Quiet   bool        `short:"q" help:"Show no progress."`
	JSON    bool        `help:"Print the summary as one JSON line: sent, accepted, late, skipped, resumed, seconds."`
}

// Run replays the file, or what is left of it.
func (c *replayCmd) Run(ctx context.Context, con console) error {
	return c.replay(ctx, con, replayWorld{stdin: os.Stdin, cache: os.UserCacheDir})
}

// replayWorld is what a replay needs of the machine it runs on.
type replayWorld struct {
	stdin io.Reader
	cache func() (string, error) // the folder for what may be lost
	http  *http.Client           // nil: the sender's own
}

func (c *replayCmd) replay(ctx context.Context, con console, w replayWorld) error {
	if err := c.check(); err != nil {
		return err
	}
	times, err := newReplayTimes(c.Zone, c.Precision)
	if err != nil {
		return err
	}
	file, err := openReplayFile(c.File, w.stdin)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	progress := newReplayProgress(con.err, c.File, c.Quiet)
	run := &replayRun{
		cmd:      c,
		rows:     newReplayRows(file, c.File, times, c.TimeColumn, c.ValueColumn),
		pace:     replayPace{speed: float64(c.Speed)},
		progress: progress,
		size:     file.size,
		began:    time.Now(),
		sender: &sender.Sender{URL: c.URL, Key: c.Key, HTTP: w.http, Patience: 5 * time.Minute, OnRetry: func(r sender.Retry) {
			progress.note("%s; trying again in %s", fault.Of(r.Err).Message, r.Wait.Round(100*time.Millisecond))
		}},
	}
	if err := run.resume(file, w.cache); err != nil {
		return err
	}
	err = run.send(ctx)
	progress.end()
	if err != nil {
		return run.explain(ctx, err)
	}
	run.marks.remove()
	if n := times.twice; n > 0 {
		progress.note("%s times that clocks in %s show twice were taken as the one nearer to the line before", grouped(n), c.Zone)
	}
	return run.summary(con.out)
}

// check refuses what no server would take, before anything is sent. Each fault names the flag.
func (c *replayCmd) check() error {
	labels, err := reading.NewLabels(c.Label)
	if err != nil {
		return fault.New(fault.Invalid, "--label: %s", fault.Of(err).Message)
	}
	series := reading.Series{Device: c.Device, Metric: c.Metric, Unit: c.Unit, Labels: labels}
	if err := series.Check(); err != nil {
		return fault.New(fault.Invalid, "--%s", fault.Of(err).Message) // the messages begin with the field, which the flag is called after
	}
	if c.Key == "" {
		return fault.New(fault.Invalid, "--key is missing: give a key with the scope ingest, or set READOUT_KEY; readout key create makes one")
	}
	if err := (&sender.Sender{URL: c.URL, Key: c.Key}).Check(); err != nil {
		return fault.New(fault.Invalid, "%s: check --url and --key", fault.Of(err).Message)
	}
	if c.Batch < 1 || c.Batch > ingest.MaxReadings {
		return fault.New(fault.Invalid, "--batch must be 1 to %d readings", ingest.MaxReadings)
	}
	if err := checkReplayColumn("--time-column", c.TimeColumn); err != nil {
		return err
	}
	return checkReplayColumn("--value-column", c.ValueColumn)
}

// replaySpeed is how much faster than the times a replay is; 0 is as fast as possible.
type replaySpeed float64

// UnmarshalText reads a positive number, or max.
func (s *replaySpeed) UnmarshalText(text []byte) error {
	if string(text) == "max" {
		*s = 0
		return nil
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(v > 0 && v <= 1e9) {
		return errors.New("must be max or a positive number, such as 1 or 60")
	}
	*s = replaySpeed(v)
	return nil
}

// grouped writes n with commas between thousands.
func grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}
