package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alecthomas/kong"

	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/problem"
)

// fakeDoor answers POST /v1/readings as the contract says, with the real decoder, and remembers what is stored. before,
// if set, is asked first: an error is answered in place of the ack, and nothing is stored.
type fakeDoor struct {
	before func(request int, w http.ResponseWriter, r *http.Request) error
	after  func(request int) // the readings are stored, the ack is not yet sent

	mu       sync.Mutex
	requests int
	got      []sentReading // in the order they came, repeats included
	stored   map[sentReading]bool
	values   map[int64]float64 // by time: the last one wins
	at       []time.Time       // when each of got came
}

type sentReading struct {
	series string
	time   int64
	value  float64
}

func (d *fakeDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests++
	if err := d.serve(w, r); err != nil {
		problem.Write(w, r, err)
	}
}

func (d *fakeDoor) serve(w http.ResponseWriter, r *http.Request) error {
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/v1/readings":
		return fault.New(fault.NotFound, "there is nothing at this path")
	case r.Header.Get("Authorization") != "Bearer rd_key":
		return fault.New(fault.Unauthenticated, "no valid credential")
	}
	if d.before != nil {
		if err := d.before(d.requests, w, r); err != nil {
			return err
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	precision, _ := ingest.ParsePrecision(r.URL.Query().Get("precision"))
	batch, err := new(ingest.Decoder).Decode(body, ingest.Options{Precision: precision, Now: time.Now().UnixMicro(), Max: ingest.MaxReadings})
	if err != nil {
		return err
	}
	d.store(batch.Series[0].Device+" "+batch.Series[0].Metric+" "+batch.Series[0].Unit+" "+string(batch.Series[0].Labels), len(batch.Readings), func(i int) (int64, float64) {
		return batch.Readings[i].Time, batch.Readings[i].Value
	})
	if d.after != nil {
		d.after(d.requests)
	}
	fmt.Fprintf(w, `{"accepted":%d,"late":1,"offset":%d}`, len(batch.Readings), d.requests)
	return nil
}

func (d *fakeDoor) store(series string, n int, reading func(i int) (int64, float64)) {
	if d.values == nil {
		d.stored, d.values = map[sentReading]bool{}, map[int64]float64{}
	}
	for i := range n {
		at, value := reading(i)
		d.got = append(d.got, sentReading{series, at, value})
		d.stored[sentReading{series, at, value}] = true
		d.values[at] = value
		d.at = append(d.at, time.Now())
	}
}

// RoundTrip serves the request without a network.
func (d *fakeDoor) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// replayTest is a replay of a file to a fake door, and what came of it.
type replayTest struct {
	door *fakeDoor
	file string
	text string // for the standard input, when file is -
	dir  string // the cache

	out, err string
}

func newReplayTest(t *testing.T, csv string) *replayTest {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "readings.csv")
	if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	return &replayTest{door: &fakeDoor{}, file: file, dir: filepath.Join(dir, "cache")}
}

// run replays with further flags, as the command line gives them.
func (r *replayTest) run(ctx context.Context, flags ...string) error {
	return r.runOn(ctx, &http.Client{Transport: r.door}, flags...)
}

func (r *replayTest) runOn(ctx context.Context, client *http.Client, flags ...string) error {
	var c replayCmd
	parser, err := kong.New(&c, kong.Exit(func(int) {}))
	if err != nil {
		return err
	}
	args := append([]string{r.file, "--device=machine", "--metric=temperature", "--key=rd_key", "--url=http://readout.test"}, flags...)
	if _, err := parser.Parse(args); err != nil {
		return err
	}
	var out, progress bytes.Buffer
	err = c.replay(ctx, console{out: &out, err: &progress}, replayWorld{
		stdin: strings.NewReader(r.text), http: client, cache: func() (string, error) { return r.dir, nil },
	})
	r.out, r.err = out.String(), progress.String()
	return err
}

// marks returns the files in the cache.
func (r *replayTest) marks() (names []string) {
	_ = filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return nil
	})
	return names
}

// minutes is a file of n readings, a minute apart, whose values count from 0.
func minutes(n int) string {
	var b strings.Builder
	b.WriteString("timestamp,value\n")
	for i := range n {
		fmt.Fprintf(&b, "%s,%d\n", replayStart.Add(time.Duration(i)*time.Minute).Format(time.DateTime), i)
	}
	return b.String()
}

var replayStart = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

type replaySummary struct {
	Sent, Accepted, Late, Skipped, Resumed int
	Seconds                                float64
}

func (r *replayTest) summary(t *testing.T) (s replaySummary) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.out), &s); err != nil || strings.Count(r.out, "\n") != 1 {
		t.Fatalf("%v in %q", err, r.out)
	}
	return s
}

// inOrder checks that the door got the readings of minutes(n), each once and in order.
func (r *replayTest) inOrder(t *testing.T, n int) {
	t.Helper()
	if len(r.door.got) != n {
		t.Fatalf("the door got %d readings, want %d", len(r.door.got), n)
	}
	for i, got := range r.door.got {
		if got.value != float64(i) || got.time != replayStart.Add(time.Duration(i)*time.Minute).UnixMicro() {
			t.Fatalf("reading %d is %+v", i, got)
		}
	}
}

func TestReplaySendsAFileInOrder(t *testing.T) {
	t.Parallel()
	r := newReplayTest(t, minutes(1234)+"2026-03-02 00:00:00,\n")
	if err := r.run(t.Context(), "--json", "--unit=Cel", "--label", "room=2", "--label=site=a;b=c"); err != nil {
		t.Fatal(err)
	}
	r.inOrder(t, 1234)
	if want := `machine temperature Cel {"room":"2","site":"a;b=c"}`; r.door.got[0].series != want {
		t.Errorf("series %q, want %q", r.door.got[0].series, want)
	}
	if s := r.summary(t); s.Sent != 1234 || s.Accepted != 1234 || s.Late != 3 || s.Skipped != 1 || s.Resumed != 0 || r.door.requests != 3 {
		t.Errorf("summary %+v of %d requests", s, r.door.requests)
	}
	if marks := r.marks(); len(marks) > 0 {
		t.Errorf("a finished replay leaves %v", marks)
	}
}

func TestReplayReadsTheStandardInput(t *testing.T) {
	t.Parallel()
	r := newReplayTest(t, "")
	r.file, r.text = "-", minutes(30)
	if err := r.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.inOrder(t, 30)
	if !strings.HasPrefix(r.out, "sent 30 readings in ") || len(r.marks()) > 0 {
		t.Errorf("out %q, marks %v", r.out, r.marks())
	}
}

func TestReplayRepeatsWhatGotNoAck(t *testing.T) {
	t.Parallel()
	r := newReplayTest(t, minutes(40))
	r.door.before = func(request int, w http.ResponseWriter, _ *http.Request) error {
		switch request {
		case 1:
			return fault.New(fault.TooMany, "the queue is full").After(time.Millisecond) // a second on the wire
		case 3:
			panic(http.ErrAbortHandler) // before it is stored
		}
		return nil
	}
	r.door.after = func(request int) {
		if request == 5 {
			panic(http.ErrAbortHandler) // after it is stored, before the ack
		}
	}
	server := httptest.NewServer(r.door)
	defer server.Close()
	if err := r.runOn(t.Context(), nil, "--batch=10", "--url="+server.URL, "--json"); err != nil {
		t.Fatal(err)
	}
	if s := r.summary(t); s.Sent != 40 || s.Seconds < 1 {
		t.Errorf("summary %+v", s)
	}
	if len(r.door.got) != 50 || len(r.door.stored) != 40 || r.door.requests != 7 {
		t.Errorf("%d readings came in %d requests, %d are stored", len(r.door.got), r.door.requests, len(r.door.stored))
	}
	if !strings.Contains(r.err, "the queue is full; trying again in 1s") || !strings.Contains(r.err, "cannot be reached; trying again") {
		t.Errorf("progress %q", r.err)
	}
}

func TestReplayGoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	r := newReplayTest(t, minutes(100))
	ctx, interrupt := context.WithCancel(t.Context())
	r.door.after = func(request int) {
		if request == 4 {
			interrupt()
		}
	}
	err := r.run(ctx, "--batch=10")
	if err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the same command goes on from there") {
		t.Fatalf("interrupted: %v", err)
	}
	stored := len(r.door.stored)
	if stored != 40 || len(r.marks()) != 1 || r.out != "" {
		t.Fatalf("%d stored, marks %v, out %q", stored, r.marks(), r.out)
	}

	r.door.after = nil
	if err := r.run(t.Context(), "--batch=10", "--json"); err != nil {
		t.Fatal(err)
	}
	s := r.summary(t)
	if s.Sent+s.Resumed != 100 || s.Resumed < 30 || s.Accepted != s.Sent || len(r.door.stored) != 100 || len(r.door.values) != 100 {
		t.Errorf("summary %+v, %d stored", s, len(r.door.stored))
	}
	if !strings.Contains(r.err, "going on after line ") || len(r.marks()) > 0 {
		t.Errorf("progress %q, marks %v", r.err, r.marks())
	}
}

func TestReplayBeginsAnewWhenItIsAnother(t *testing.T) {
	t.Parallel()
	f := func(name string, resumes bool, change func(r *replayTest), flags ...string) {
		t.Helper()
		r := newReplayTest(t, minutes(100))
		r.door.before = func(request int, _ http.ResponseWriter, _ *http.Request) error {
			if request == 4 {
				return fault.New(fault.Forbidden, "the key lacks the scope ingest")
			}
			return nil
		}
		if err := r.run(t.Context(), "--batch=10"); !fault.Is(err, fault.Forbidden) || len(r.door.got) != 30 {
			t.Fatalf("%s: %v after %d readings", name, err, len(r.door.got))
		}
		change(r)
		r.door.got = nil
		if err := r.run(t.Context(), append([]string{"--batch=10"}, flags...)...); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if resumed := len(r.door.got) == 70; resumed != resumes {
			t.Errorf("%s: %d readings the second time", name, len(r.door.got))
		}
	}
	nothing := func(*replayTest) {}
	f("the same", true, nothing)
	f("another batch", true, nothing, "--batch=25")
	f("restart", false, nothing, "--restart")
	f("other zone", false, nothing, "--zone=Europe/Sofia")
	f("other label", false, nothing, "--label=a=b")
	f("other metric", false, nothing, "--metric=humidity")
	f("other server", false, nothing, "--url=http://other.test")
	f("changed file", false, func(r *replayTest) {
		if err := os.Chtimes(r.file, time.Now(), time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
	})
	f("damaged mark", false, func(r *replayTest) {
		if err := os.WriteFile(r.marks()[0], []byte(`{"line":`), 0o600); err != nil {
			t.Error(err)
		}
	})
	f("no cache", false, func(r *replayTest) { r.dir = "/dev/null" })
}

func TestReplayStoresWhatPrecedesAWrongLine(t *testing.T) {
	t.Parallel()
	r := newReplayTest(t, minutes(15)+"2026-03-01 00:15:00,NaN\n2026-03-01 00:16:00,16\n")
	err := r.run(t.Context(), "--batch=10")
	r.inOrder(t, 15)
	got := fault.Of(err)
	if got.Code != fault.Invalid || got.Line != 17 || !strings.Contains(got.Message, "line 17: the value \"NaN\"") ||
		!strings.HasSuffix(got.Message, "The 15 readings before it are stored") {
		t.Errorf("got %v", err)
	}
}

func TestReplayKeepsNoKeyInItsMark(t *testing.T) {
	t.Parallel()
	r := newReplayTest(t, minutes(20)+"nonsense,1\n")
	if err := r.run(t.Context(), "--batch=10"); err == nil {
		t.Fatal("no error")
	}
	text, err := os.ReadFile(r.marks()[0])
	if err != nil || strings.Contains(string(text), "rd_key") || !strings.Contains(string(text), "readings.csv") {
		t.Errorf("%s, %v", text, err)
	}
}

// A minute at speed 30 is two seconds, by the test's own clock.
func TestReplayKeepsThePaceOfTheTimes(t *testing.T) {
	t.Parallel()
	// The line that steps back in time is overdue; it goes with the one before it, at once.
	r := newReplayTest(t, minutes(5)+"2026-03-01 00:03:30,5\n2026-03-01 00:10:00,6\n")
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(replayStart.AddDate(0, 1, 0))) // readings of the future are refused
		began := time.Now()
		if err := r.run(t.Context(), "--speed=30"); err != nil {
			t.Fatal(err)
		}
		var at []time.Duration
		for _, when := range r.door.at {
			at = append(at, when.Sub(began))
		}
		// A batch leaves when the reading after it is not due yet.
		want := []time.Duration{0, 2 * time.Second, 4 * time.Second, 6 * time.Second, 8 * time.Second, 8 * time.Second, 20 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("readings came after %v, want %v", at, want)
		}
	})
}

func TestReplayEndsWhileItWaits(t *testing.T) {
	t.Parallel()
	r := newReplayTest(t, minutes(5))
	ctx, interrupt := context.WithCancel(t.Context())
	r.door.after = func(int) { interrupt() }
	if err := r.run(ctx, "--speed=1"); err == nil || !strings.HasPrefix(err.Error(), "interrupted") || len(r.door.got) != 1 {
		t.Errorf("%v after %d readings", err, len(r.door.got))
	}
}

func TestReplaySaysWhichFlagMendsAFault(t *testing.T) {
	t.Parallel()
	f := func(refusal *fault.Error, parts ...string) {
		t.Helper()
		r := newReplayTest(t, minutes(30))
		r.door.before = func(request int, _ http.ResponseWriter, _ *http.Request) error {
			if request == 2 {
				return refusal
			}
			return nil
		}
		err := r.run(t.Context(), "--batch=10")
		got := fault.Of(err)
		if got.Code != refusal.Code {
			t.Errorf("%s: got %v", refusal.Code, err)
		}
		for _, part := range append(parts, refusal.Message, "10 readings, up to line 11, are stored: the same command goes on from there") {
			if !strings.Contains(got.Message, part) {
				t.Errorf("%s: %q lacks %q", refusal.Code, got.Message, part)
			}
		}
	}
	f(fault.New(fault.Unauthenticated, "no valid credential"), "--key")
	f(fault.New(fault.Forbidden, "the key lacks the scope ingest"), "--key", "--device")
	f(fault.New(fault.UnknownDevice, "no such device"), "--device")
	f(fault.New(fault.UnitMismatch, "another unit"), "--unit", "lines 12 to 21")
	f(fault.New(fault.TooLarge, "too long"), "--batch")
	f(fault.New(fault.NotFound, "nothing here"), "--url")
	f(fault.New(fault.TimeInvalid, "a time"), "lines 12 to 21")
}

func TestReplayRefusesFlagsThatCannotBe(t *testing.T) {
	t.Parallel()
	f := func(flag, part string) {
		t.Helper()
		r := newReplayTest(t, minutes(3))
		err := r.run(t.Context(), flag)
		if err == nil || !strings.Contains(err.Error(), part) || len(r.door.got) > 0 {
			t.Errorf("%s: %v", flag, err)
		}
	}
	f("--key=", "READOUT_KEY")
	f("--batch=0", "--batch must be 1 to 20000")
	f("--batch=20001", "--batch must be 1 to 20000")
	f("--zone=Mars/Olympus", "--zone")
	f("--zone=", "--zone")
	f("--speed=0", "--speed")
	f("--speed=-1", "--speed")
	f("--speed=NaN", "--speed")
	f("--precision=m", "--precision")
	f("--device=", "--device must not be empty")
	f("--metric=a\x00b", "--metric must not contain control characters")
	f("--unit= Cel", "--unit must not begin or end with a space")
	f("--label==v", "--label")
	f("--time-column=0", "--time-column")
	f("--value-column=", "--value-column")
	f("--value-column=speed", `--value-column: the first line of`)
	f("--url=readout.test", "--url")
	f("--url=ftp://readout.test", "--url")
}

func TestReplayNamesTheFileItCannotRead(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"missing.csv", t.TempDir()} {
		r := newReplayTest(t, "")
		r.file = file
		if err := r.run(t.Context()); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestReplayShowsProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := newReplayProgress(&b, "/tmp/readings.csv", false)
		p.update(1000, 100, 1000)
		time.Sleep(4 * time.Second)
		p.update(1500, 150, 1000)
		time.Sleep(6 * time.Second)
		p.update(5500, 550, 1000)
		p.end()
		if want := "readings.csv: 55 %, 5,500 readings, 550/s, 10s left\n"; b.String() != want {
			t.Errorf("got %q, want %q", b.String(), want)
		}

		b.Reset()
		p = newReplayProgress(&b, "-", false)
		p.terminal, p.every = true, 100*time.Millisecond
		for i := range 3 {
			time.Sleep(time.Second)
			p.update(1000*(i+1), 0, 0)
		}
		p.note("hello")
		p.end()
		want := "\rstandard input: 1,000 readings, 1,000/s\x1b[K\rstandard input: 2,000 readings, 1,000/s\x1b[K" +
			"\rstandard input: 3,000 readings, 1,000/s\x1b[K\r\x1b[Kstandard input: hello\n"
		if b.String() != want {
			t.Errorf("got %q, want %q", b.String(), want)
		}

		b.Reset()
		p = newReplayProgress(&b, "-", true)
		time.Sleep(time.Minute)
		p.update(1, 1, 1)
		p.note("hello")
		p.end()
		if b.Len() > 0 {
			t.Errorf("quiet says %q", b.String())
		}
	})
}

// The readings of an industrial machine: times twice with other values, and a step back.
func TestReplaySendsARealMachine(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "..", "..", "shared", "data", "nab", "machine_temperature_system_failure.csv")
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the data are not here")
	}
	r := newReplayTest(t, "")
	r.file = file
	server := httptest.NewServer(r.door)
	defer server.Close()
	if err := r.runOn(t.Context(), nil, "--json", "--url="+server.URL); err != nil {
		t.Fatal(err)
	}
	if s := r.summary(t); s.Sent != 22_695 || s.Accepted != 22_695 || s.Skipped != 0 {
		t.Errorf("summary %+v", s)
	}
	if len(r.door.got) != 22_695 || len(r.door.values) != 22_683 {
		t.Errorf("%d readings came, of %d times", len(r.door.got), len(r.door.values))
	}
	first, last := r.door.got[0], r.door.got[22_694]
	if first.time != time.Date(2013, 12, 2, 21, 15, 0, 0, time.UTC).UnixMicro() || first.value != 73.96732207 ||
		last.time != time.Date(2014, 2, 19, 15, 25, 0, 0, time.UTC).UnixMicro() || last.value != 96.90386085 {
		t.Errorf("from %+v to %+v", first, last)
	}
}
