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
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/readout-dev/readout/ingest"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/problem"
	"github.com/readout-dev/readout/reading"
)

// importDoor answers POST /v1/readings with the real decoder, and keeps the last value of each series and time. before, if
// set, is asked first: an error is answered in place of the ack.
type importDoor struct {
	before func(request int) error
	after  func(request int) // what came is kept

	mu       sync.Mutex
	requests int
	readings int
	kept     map[reading.Series]map[int64]float64
}

func (d *importDoor) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests++
	if err := d.serve(w, r); err != nil {
		problem.Write(w, r, err)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func (d *importDoor) serve(w http.ResponseWriter, r *http.Request) error {
	if d.before != nil {
		if err := d.before(d.requests); err != nil {
			return err
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	batch, err := new(ingest.Decoder).Decode(body, ingest.Options{Precision: ingest.Microseconds, Now: time.Now().UnixMicro(), Max: ingest.MaxReadings})
	if err != nil {
		return err
	}
	for _, one := range batch.Readings {
		s := batch.Series[one.Series]
		if d.kept[s] == nil {
			d.kept[s] = map[int64]float64{}
		}
		d.kept[s][one.Time] = one.Value
	}
	d.readings += len(batch.Readings)
	fmt.Fprintf(w, `{"accepted":%d,"late":1,"offset":%d}`, len(batch.Readings), d.requests)
	if d.after != nil {
		d.after(d.requests)
	}
	return nil
}

// importTest is an import of files to a door, and what came of it.
type importTest struct {
	t        *testing.T
	door     *importDoor
	dir      string
	files    []string
	out, err string
}

func newImportTest(t *testing.T, texts ...string) *importTest {
	t.Helper()
	i := &importTest{t: t, door: &importDoor{kept: map[reading.Series]map[int64]float64{}}, dir: t.TempDir()}
	for n, text := range texts {
		i.files = append(i.files, i.write(fmt.Sprintf("readings-%d.csv", n), text))
	}
	return i
}

func (i *importTest) write(name, text string) string {
	i.t.Helper()
	file := filepath.Join(i.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		i.t.Fatal(err)
	}
	return file
}

// run imports the files with further flags, as the command line gives them.
func (i *importTest) run(ctx context.Context, flags ...string) error {
	var c importCmd
	parser, err := kong.New(&c, kong.Exit(func(int) {}))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(append(append([]string{"--key=rd_key", "--url=http://readout.test", "--json"}, i.files...), flags...)); err != nil {
		return err
	}
	var out, progress bytes.Buffer
	err = c.run(ctx, console{out: &out, err: &progress}, replayWorld{
		stdin: strings.NewReader(""), http: &http.Client{Transport: i.door}, cache: func() (string, error) { return filepath.Join(i.dir, "cache"), nil },
	})
	i.out, i.err = out.String(), progress.String()
	return err
}

func (i *importTest) summary() (s importTotal) {
	i.t.Helper()
	if err := json.Unmarshal([]byte(i.out), &s); err != nil {
		i.t.Fatalf("%v in %q", err, i.out)
	}
	return s
}

func (i *importTest) marks() (names []string) {
	_ = filepath.WalkDir(filepath.Join(i.dir, "cache"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return nil
	})
	return names
}

// kept are the readings of series without labels, in minutes of 2026-03-01.
func (i *importTest) kept(device, metric, unit string, labels reading.Labels) map[int]float64 {
	all := map[int]float64{}
	for at, v := range i.door.kept[reading.Series{Device: device, Metric: metric, Unit: unit, Labels: labels}] {
		all[int((at-replayStart.UnixMicro())/60e6)] = v
	}
	return all
}

// long is a file of an export with n minutes of each of several series, one minute after the other.
func long(minutes, series int) string {
	var b strings.Builder
	b.WriteString("device,metric,labels,unit,time,value\n")
	for m := range minutes {
		for s := range series {
			fmt.Fprintf(&b, "d%d,temperature,\"{\"\"room\"\":\"\"%d\"\"}\",Cel,%s,%d.5\n", s/2, s%2, replayStart.Add(time.Duration(m)*time.Minute).Format(time.RFC3339), m)
		}
	}
	return b.String()
}

func TestImportSendsEveryLineOfAnExport(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{{}, {"--batch=7"}, {"--batch=1", "--connections=1"}, {"--batch=64", "--connections=9"}} {
		i := newImportTest(t, long(100, 11))
		if err := i.run(t.Context(), flags...); err != nil {
			t.Fatal(err)
		}
		if s := i.summary(); s.Sent != 1100 || s.Accepted != 1100 || s.Late != i.door.requests || s.Bad+s.Missing+s.Resumed != 0 {
			t.Errorf("%v: %+v", flags, s)
		}
		if len(i.door.kept) != 11 || i.door.readings != 1100 || len(i.marks()) > 0 {
			t.Errorf("%v: %d series, %d readings, marks %v", flags, len(i.door.kept), i.door.readings, i.marks())
		}
		for s := range 11 {
			got := i.kept(fmt.Sprintf("d%d", s/2), "temperature", "Cel", reading.Labels(fmt.Sprintf(`{"room":"%d"}`, s%2)))
			if len(got) != 100 || got[42] != 42.5 {
				t.Errorf("%v: series %d has %d readings, %v", flags, s, len(got), got[42])
			}
		}
	}
}

func TestImportReadsWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	f := func(name, text string, want map[reading.Series]map[int]float64, flags ...string) {
		t.Helper()
		i := newImportTest(t, text)
		if err := i.run(t.Context(), flags...); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		got := map[reading.Series]map[int]float64{}
		for s := range i.door.kept {
			got[s] = i.kept(s.Device, s.Metric, s.Unit, s.Labels)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	series := func(device, metric, unit, labels string) reading.Series {
		return reading.Series{Device: device, Metric: metric, Unit: unit, Labels: reading.Labels(labels)}
	}
	f("the least", "device,metric,time,value\na,m,2026-03-01T00:01:00Z,1\n", map[reading.Series]map[int]float64{series("a", "m", "", "{}"): {1: 1}})
	f("another order, quotes, CRLF, spaces, an empty line, no end", "value, time ,metric,device\r\n\"1\",\"2026-03-01T00:01:00Z\", m ,\"a, \"\"b\"\"\"\r\n\r\n2.50,2026-03-01 00:02:00, m ,\"a, \"\"b\"\"\"",
		map[reading.Series]map[int]float64{series(`a, "b"`, "m", "", "{}"): {1: 1, 2: 2.5}})
	f("a mark of UTF-8, labels in any order and in none", "\xef\xbb\xbfdevice,metric,labels,unit,time,value\na,m,\"{\"\"b\"\":\"\"2\"\",\"\"a\"\":\"\"1\"\"}\",Cel,2026-03-01T00:01:00.000000Z,1\na,m,,,2026-03-01T00:02:00Z,-0.5e1\n",
		map[reading.Series]map[int]float64{series("a", "m", "Cel", `{"a":"1","b":"2"}`): {1: 1}, series("a", "m", "", "{}"): {2: -5}})
	f("integers, quoted values, +, no leading digit", "device,metric,time,value\na,m,1772323260000,\"+1\"\na,m,1772323320000,.5\na,m,\"1772323380000\",3\n",
		map[reading.Series]map[int]float64{series("a", "m", "", "{}"): {1: 1, 2: .5, 3: 3}})
	f("seconds", "device,metric,time,value\na,m,1772323260,1\n", map[reading.Series]map[int]float64{series("a", "m", "", "{}"): {1: 1}}, "--precision=s")
	f("a zone", "device,metric,time,value\na,m,2026-03-01T02:01:00,1\na,m,2026-03-01T00:02:00Z,2\n", map[reading.Series]map[int]float64{series("a", "m", "", "{}"): {1: 1, 2: 2}}, "--zone=Europe/Sofia")
	f("the last line wins", "device,metric,time,value\na,m,2026-03-01T00:01:00Z,1\na,m,2026-03-01T00:01:00Z,2\n\"a\",m,2026-03-01T00:01:00Z,3\na, m,2026-03-01T00:01:00Z,4\n",
		map[reading.Series]map[int]float64{series("a", "m", "", "{}"): {1: 4}}, "--batch=1")
	f("the last line wins, however its labels are written", "device,metric,labels,time,value\n"+
		"a,m,\"{\"\"x\"\":\"\"1\"\",\"\"y\"\":\"\"2\"\"}\",2026-03-01T00:01:00Z,1\na,m,\"{\"\"y\"\":\"\"2\"\",\"\"x\"\":\"\"1\"\"}\",2026-03-01T00:01:00Z,2\n"+
		"a,m,\"{\"\"x\"\":\"\"1\"\",\"\"y\"\":\"\"2\"\"}\",2026-03-01T00:02:00Z,3\na,m,\"{\"\"y\"\":\"\"2\"\",\"\"x\"\":\"\"1\"\"}\",2026-03-01T00:02:00Z,4\n"+
		"a,m,\"{\"\"x\"\":\"\"1\"\",\"\"y\"\":\"\"2\"\"}\",2026-03-01T00:02:00Z,5\n",
		map[reading.Series]map[int]float64{series("a", "m", "", `{"x":"1","y":"2"}`): {1: 2, 2: 5}})
	f("a missing value", "device,metric,time,value\na,m,2026-03-01T00:01:00Z,\na,m,2026-03-01T00:02:00Z,2\n", map[reading.Series]map[int]float64{series("a", "m", "", "{}"): {2: 2}})
	f("wide", "time,temperature,humidity\n2026-03-01T00:01:00Z,1,2\n2026-03-01T00:02:00Z,,4\n",
		map[reading.Series]map[int]float64{series("a", "temperature", "Cel", "{}"): {1: 1}, series("a", "humidity", "", "{}"): {1: 2, 2: 4}}, "--device=a", "--unit=temperature=Cel")
	f("wide, with a time elsewhere, and columns left out", "temperature,note,when\n1,windy,2026-03-01T00:01:00Z\n",
		map[reading.Series]map[int]float64{series("a", "temperature", "", `{"room":"2"}`): {1: 1}}, "--device=a", "--time-column=when", "--column=temperature", "--label=room=2")
}

func TestImportKeepsTheOrderOfASeries(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("device,metric,time,value\n")
	for n := range 3000 { // each series' one reading, corrected again and again
		fmt.Fprintf(&b, "d%d,m,2026-03-01T00:00:00Z,%d\n", n%10, n)
	}
	i := newImportTest(t, b.String())
	i.door.before = func(request int) error {
		if request%5 == 2 {
			return fault.New(fault.TooMany, "full").After(time.Nanosecond)
		}
		return nil
	}
	if err := i.run(t.Context(), "--batch=100"); err != nil {
		t.Fatal(err)
	}
	for d := range 10 {
		if got := i.kept(fmt.Sprintf("d%d", d), "m", "", "{}"); got[0] != float64(2990+d) {
			t.Errorf("d%d ends with %v", d, got[0])
		}
	}
}

func TestImportStopsAtABadLine(t *testing.T) {
	t.Parallel()
	const good = "device,metric,labels,unit,time,value\na,m,{},,2026-03-01T00:01:00Z,1\na,m,{},,2026-03-01T00:02:00Z,2\n"
	f := func(bad, what string) {
		t.Helper()
		i := newImportTest(t, good+bad+"\na,m,{},,2026-03-01T00:03:00Z,3\n")
		err := i.run(t.Context(), "--batch=1")
		if got := fault.Of(err); got.Code != fault.Invalid || got.Line != 4 || !strings.Contains(got.Message, "line 4: "+what) {
			t.Errorf("%s: %v", bad, err)
		}
		if got := i.kept("a", "m", "", "{}"); !reflect.DeepEqual(got, map[int]float64{1: 1, 2: 2}) {
			t.Errorf("%s: stored %v", bad, got)
		}
		if err := i.run(t.Context(), "--skip-bad"); err != nil {
			t.Errorf("%s: skipped: %v", bad, err)
			return
		}
		if s := i.summary(); s.Bad != 1 || s.Sent != 1 || s.Resumed != 2 {
			t.Errorf("%s: skipped: %+v", bad, s)
		}
		if got := i.kept("a", "m", "", "{}"); !reflect.DeepEqual(got, map[int]float64{1: 1, 2: 2, 3: 3}) {
			t.Errorf("%s: skipped: stored %v", bad, got)
		}
	}
	f("a,m,{},,2026-03-01T00:02:30Z", "has 5 columns, and the header has 6")
	f("a,m,{},,2026-03-01T00:02:30Z,1,2", "has 7 columns")
	f("a,m,{},,2026-03-01T00:02:30Z,NaN", `the value "NaN" is not a decimal number`)
	f("a,m,{},,2026-03-01T00:02:30Z,1e999", `the value "1e999" is too large`)
	f("a,m,{},,2026-03-01T25:02:30Z,1", "the time")
	f("a,m,{},,2026-02-30T00:02:30Z,1", "the time")
	f("a,m,{},,2999-03-01T00:02:30Z,1", "time must lie between")
	f("a,m,{},,17,1", "the time \"17\" is of 1970")
	f("a,,{},,2026-03-01T00:02:30Z,1", "metric must not be empty")
	f("a,m,{,,2026-03-01T00:02:30Z,1", "the labels \"{\" are not a JSON object")
	f(`a,m,"{""a"":1}",,2026-03-01T00:02:30Z,1`, "the labels")
	f(`a,m,"{""a"":null}",,2026-03-01T00:02:30Z,1`, `the label "a" is not a string`)
	f(`a,"m,{},,2026-03-01T00:02:30Z,1`, "is not well-formed CSV")
	f(`a,"m"x,{},,2026-03-01T00:02:30Z,1`, "is not well-formed CSV")
	f("b\x01,m,{},,2026-03-01T00:02:30Z,1", "device must not contain control characters")
	f(strings.Repeat("x", 1<<20+1), "is longer than 1 MiB")
}

func TestImportGoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	for _, requests := range []int{1, 5, 40} {
		i := newImportTest(t, long(100, 11), secondFile())
		ctx, interrupt := context.WithCancel(t.Context())
		i.door.after = func(request int) {
			if request == requests {
				interrupt()
			}
		}
		err := i.run(ctx, "--batch=20")
		if err == nil || errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "interrupted. ") {
			t.Fatalf("interrupted: %v", err)
		}
		i.door.after = nil
		before := i.door.readings
		if err := i.run(t.Context(), "--batch=20"); err != nil {
			t.Fatal(err)
		}
		s := i.summary()
		if again := before + s.Sent - 1650; s.Sent != i.door.readings-before || again < 0 || again > 11*20*4 || requests == 40 && s.Resumed < 400 {
			t.Errorf("after %d requests: %+v, %d readings twice", requests, s, again)
		}
		total := 0
		for _, values := range i.door.kept {
			total += len(values)
		}
		if total != 1650 || len(i.marks()) > 0 {
			t.Errorf("after %d requests: %d readings are stored, marks %v", requests, total, i.marks())
		}
	}
}

// secondFile has 550 readings of other series than long(100, 11).
func secondFile() string {
	head, rows, _ := strings.Cut(long(50, 11), "\n")
	return head + "\n" + strings.ReplaceAll(rows, "temperature", "humidity")
}

func TestImportSaysWhatTheServerRefuses(t *testing.T) {
	t.Parallel()
	i := newImportTest(t, long(10, 3))
	i.door.before = func(request int) error {
		if request == 2 {
			return fault.New(fault.UnitMismatch, "the series has another unit").At(0)
		}
		return nil
	}
	err := i.run(t.Context(), "--batch=5", "--connections=1")
	got := fault.Of(err)
	for _, part := range []string{"lines 7 to 11", `"device":"d`, "the series has another unit", "is stored up to line 6: the same command goes on"} {
		if got.Code != fault.UnitMismatch || !strings.Contains(got.Message, part) {
			t.Errorf("%v lacks %q", err, part)
		}
	}
}

func TestImportRefusesFlagsAndHeadersThatCannotBe(t *testing.T) {
	t.Parallel()
	f := func(header, part string, flags ...string) {
		t.Helper()
		i := newImportTest(t, header+"\n")
		if err := i.run(t.Context(), flags...); err == nil || !strings.Contains(err.Error(), part) || i.door.requests > 0 {
			t.Errorf("%s %v: %v", header, flags, err)
		}
	}
	const head = "device,metric,time,value"
	f(head, "READOUT_KEY", "--key=")
	f(head, "--batch", "--batch=20001")
	f(head, "--connections", "--connections=0")
	f(head, "--zone", "--zone=Mars")
	f(head, "name their --device", "--unit=a=b")
	f(head, "--label", "--device=a", "--label==x")
	f(head, "--device", "--device= a")
	f("", "is empty")
	f("device,metric,time", "has no column value")
	f("device,metric,time,value,quality", `the column "quality" is none of`)
	f("device,metric,time,value,value", "twice")
	f("time,a,a", "twice", "--device=a")
	f("time,a", "has no column when", "--device=a", "--time-column=when")
	f("time,a", "--column", "--device=a", "--column=b")
	f("time,a", "--unit", "--device=a", "--unit=b=Cel")
	f("time,", "is no metric", "--device=a")
}
