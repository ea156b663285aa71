package main

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

// rowsOf reads all of a file; columns are the first two unless named.
func rowsOf(t *testing.T, text, zone, precision string, columns ...string) ([]replayRow, error) {
	t.Helper()
	times, err := newReplayTimes(zone, precision)
	if err != nil {
		t.Fatal(err)
	}
	file, err := openReplayFile("-", strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	if columns == nil {
		columns = []string{"1", "2"}
	}
	rows := newReplayRows(file, "f.csv", times, columns[0], columns[1])
	var all []replayRow
	for {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		row.end = 0
		all = append(all, row)
	}
}

func at(text string) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t.UnixMicro()
}

func TestReplayReadsWhatLoggersWrite(t *testing.T) {
	t.Parallel()
	ten, eleven := at("2026-11-21T10:00:00Z"), at("2026-11-21T11:00:00Z")
	f := func(name, text string, want ...replayRow) {
		t.Helper()
		if got, err := rowsOf(t, text, "UTC", ""); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	f("nothing", "")
	f("a header alone", "timestamp,value\n")
	f("no header", "2026-11-21T10:00:00Z,1.5\n2026-11-21T11:00:00Z,-2", replayRow{time: ten, value: 1.5, line: 1}, replayRow{time: eleven, value: -2, line: 2})
	f("a header", "time of day,°C\n2026-11-21 10:00:00,1e3\n", replayRow{time: ten, value: 1000, line: 2})
	f("a byte order mark, CRLF and a blank line", "\ufefftimestamp,value\r\n2026-11-21T10:00:00Z,1\r\n\r\n2026-11-21T11:00:00Z,2\r\n",
		replayRow{time: ten, value: 1, line: 2}, replayRow{time: eleven, value: 2, line: 4})
	f("a byte order mark and no header", "\ufeff2026-11-21T10:00:00Z,1", replayRow{time: ten, value: 1, line: 1})
	f("quotes, spaces and further columns", "\"when\",\"how much\"\n 2026-11-21T10:00:00Z , 1 ,\"x\ny\"\n\"2026-11-21T11:00:00Z\",\"2\"\n",
		replayRow{time: ten, value: 1, line: 2}, replayRow{time: eleven, value: 2, line: 4})
	f("a missing value", "2026-11-21T10:00:00Z,\n2026-11-21T11:00:00Z, \n", replayRow{time: ten, missing: true, line: 1}, replayRow{time: eleven, missing: true, line: 2})
	f("the value's shortest and longest form", "2026-11-21T10:00:00Z,.5\n2026-11-21T11:00:00Z,+0.1000000000000000055511151231257827E0\n",
		replayRow{time: ten, value: 0.5, line: 1}, replayRow{time: eleven, value: 0.1, line: 2})
	f("zero in many ways", "2026-11-21T10:00:00Z,0e9\n2026-11-21T11:00:00Z,0.000\n", replayRow{time: ten, line: 1}, replayRow{time: eleven, line: 2})
}

func TestReplayNamesTheLineThatIsWrong(t *testing.T) {
	t.Parallel()
	f := func(line, part string) {
		t.Helper()
		_, err := rowsOf(t, "timestamp,value\n2026-11-21T10:00:00Z,1\n"+line+"\n", "UTC", "")
		var wrong *replayLineError
		if !errors.As(err, &wrong) || wrong.line != 3 || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v", line, err)
		}
	}
	for _, value := range []string{"NaN", "inf", "-Infinity", "1_000", "0x1F", "NULL", "-", "١٢", "1,5 Cel", "--1", "1e", "1.2.3", "true", "1 000"} {
		f(`2026-11-21T10:00:00Z,"`+value+`"`, "is not a decimal number")
	}
	f("2026-11-21T10:00:00Z,1e999", "too large for a float64")
	f("2026-11-21T10:00:00Z,1e-400", "too small for a float64")
	for _, time := range []string{
		"", "yesterday", "2026-02-30 00:00:00", "2026-11-21", "2026-11-21T24:00:00Z", "2026-11-21T10:00:60Z", "2026-11-21 10:00",
		"2026-11-21T10:00:00+25:00", "21.11.2026 10:00:00", "1.5", "1e9", "2026-11-21_10:00:00", "2026-11-21T10:00:00ZZ",
	} {
		f(time+",1", "is neither like")
	}
	f("1969-12-31T23:59:59Z,1", "1970")
	f("2300-01-01T00:00:00Z,1", "a day from now")
	f("-5,1", "1970")
	f("99999999999999999999,1", "too large")
	f("9999999999999999,1", "too large")
	f("1763719200,1", "--precision s")
	f("2026-11-21T10:00:00Z", "has 1 columns")
	f("2026-11-21T10:00:00Z;1", "separated by commas")
	f(`2026-11-21T10:00:00Z,1"`, "well-formed CSV")
	f(strings.Repeat("x", 1000)+",1", "…")

	_, err := rowsOf(t, "1763719200,1\n", "UTC", "")
	var wrong *replayLineError
	if !errors.As(err, &wrong) || wrong.line != 1 {
		t.Errorf("an integer in the first line is taken for a header: %v", err)
	}
	for _, start := range []string{"\xff\xfet\x00", "\xfe\xff\x00t"} {
		if _, err := rowsOf(t, start, "UTC", ""); err == nil || !strings.Contains(err.Error(), "UTF-16") {
			t.Errorf("%q: %v", start, err)
		}
	}
}

func TestReplayTakesColumnsByNameAndNumber(t *testing.T) {
	t.Parallel()
	const text = "id,temp,note,when\na,21.5,x,2026-11-21T10:00:00Z\n"
	want := []replayRow{{time: at("2026-11-21T10:00:00Z"), value: 21.5, line: 2}}
	f := func(timeColumn, valueColumn string) {
		t.Helper()
		if got, err := rowsOf(t, text, "UTC", "", timeColumn, valueColumn); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %s: got %+v, %v", timeColumn, valueColumn, got, err)
		}
	}
	f("4", "2")
	f("when", "temp")
	f("4", "temp")
	f("when", "2")
	if _, err := rowsOf(t, text, "UTC", "", "When", "2"); err == nil || !strings.Contains(err.Error(), "id, temp, note, when") {
		t.Errorf("got %v", err)
	}
}

func TestReplayCountsIntegersInThePrecision(t *testing.T) {
	t.Parallel()
	f := func(precision, text, want string) {
		t.Helper()
		if got, err := rowsOf(t, text+",1\n", "Europe/Sofia", precision); err != nil || got[0].time != at(want) {
			t.Errorf("%s %s: got %+v, %v", precision, text, got, err)
		}
	}
	f("s", "1763719200", "2025-11-21T10:00:00Z")
	f("", "1763719200123", "2025-11-21T10:00:00.123Z")
	f("ms", "1763719200123", "2025-11-21T10:00:00.123Z")
	f("us", "1763719200123456", "2025-11-21T10:00:00.123456Z")
	f("ns", "1763719200123456789", "2025-11-21T10:00:00.123456Z")
	f("ms", "1000", "1970-01-01T00:00:01Z")
	f("s", "0", "1970-01-01T00:00:00Z")
}

func TestReplayTakesTimesWithoutZoneInTheZone(t *testing.T) {
	t.Parallel()
	f := func(zone, times string, want ...string) {
		t.Helper()
		var wants []replayRow
		for i, w := range want {
			wants = append(wants, replayRow{time: at(w), value: 1, line: i + 1})
		}
		text := strings.ReplaceAll(times, "|", ",1\n") + ",1\n"
		if got, err := rowsOf(t, text, zone, ""); err != nil || !reflect.DeepEqual(got, wants) {
			t.Errorf("%s %s: got %+v, %v\nwant %+v", zone, times, got, err, wants)
		}
	}
	f("UTC", "2026-11-21 10:00:00.123456|2026-11-21T10:00:00", "2026-11-21T10:00:00.123456Z", "2026-11-21T10:00:00Z")
	f("Europe/Sofia", "2026-07-01 12:00:00|2026-01-01 12:00:00.5", "2026-07-01T09:00:00Z", "2026-01-01T10:00:00.5Z")
	f("Europe/Sofia", "2026-07-01T12:00:00Z|2026-07-01 12:00:00+01:00|2026-07-01T12:00:00.25-00:30", "2026-07-01T12:00:00Z", "2026-07-01T11:00:00Z", "2026-07-01T12:30:00.25Z")
	f("Asia/Kathmandu", "2026-07-01 12:00:00", "2026-07-01T06:15:00Z")
	// On 25 October 2026 clocks in Sofia go back from 4:00 (UTC+3) to 3:00 (UTC+2).
	f("Europe/Sofia", "2026-10-25 03:30:00", "2026-10-25T00:30:00Z")
	f("Europe/Sofia", "2026-10-25 02:40:00|2026-10-25 03:10:00|2026-10-25 03:40:00|2026-10-25 03:10:00|2026-10-25 03:40:00|2026-10-25 04:10:00",
		"2026-10-24T23:40:00Z", "2026-10-25T00:10:00Z", "2026-10-25T00:40:00Z", "2026-10-25T01:10:00Z", "2026-10-25T01:40:00Z", "2026-10-25T02:10:00Z")
	f("Europe/Sofia", "2026-10-25 04:10:00|2026-10-25 03:50:00|2026-10-25 03:30:00|2026-10-25 03:10:00|2026-10-25 03:50:00", // newest first
		"2026-10-25T02:10:00Z", "2026-10-25T01:50:00Z", "2026-10-25T01:30:00Z", "2026-10-25T01:10:00Z", "2026-10-25T00:50:00Z")
	f("Europe/Sofia", "2026-10-25 03:40:00|2026-10-25 03:40:00", "2026-10-25T00:40:00Z", "2026-10-25T00:40:00Z") // a correction
	f("Australia/Lord_Howe", "2026-04-05 01:40:00", "2026-04-04T14:40:00Z")                                      // back by half an hour

	// On 29 March 2026 there is no time from 3:00 to 4:00.
	_, err := rowsOf(t, "2026-03-29 02:59:59,1\n2026-03-29 03:30:00,1\n", "Europe/Sofia", "")
	if err == nil || !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), "--zone") {
		t.Errorf("a time that does not exist: %v", err)
	}
	f("Europe/Sofia", "2026-03-29 02:59:59|2026-03-29 04:00:00", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z")
}

func TestReplayCountsTimesThatAZoneHasTwiceOnce(t *testing.T) {
	t.Parallel()
	r := newReplayTest(t, "2025-10-26 03:10:00,1\n2025-10-26 03:40:00,1\n2025-10-26 05:00:00,1\n")
	if err := r.run(t.Context(), "--zone=Europe/Sofia"); err != nil {
		t.Fatal(err)
	}
	if want := "readings.csv: 2 times that clocks in Europe/Sofia show twice"; !strings.HasPrefix(r.err, want) {
		t.Errorf("got %q, want %q", r.err, want)
	}
}

// Whatever the bytes, reading ends, and every row is one that a server takes.
func FuzzReplayRows(f *testing.F) {
	f.Add("timestamp,value\n2026-11-21 10:00:00,1.5\n", "Europe/Sofia")
	f.Add("\ufeff1763719200123,1e-5\r\n\"2026-10-25 03:30:00\",\n", "UTC")
	f.Fuzz(func(t *testing.T, text, zone string) {
		times, err := newReplayTimes(zone, "")
		if err != nil {
			return
		}
		rows := newReplayRows(strings.NewReader(text), "f", times, "1", "2")
		line := 0
		for {
			row, err := rows.next()
			if err != nil {
				return
			}
			if row.time < 0 || row.value != row.value || row.line <= line {
				t.Fatalf("after line %d: %+v", line, row)
			}
			line = row.line
		}
	})
}

func BenchmarkReplayRows(b *testing.B) {
	for _, zone := range []string{"UTC", "Europe/Sofia"} {
		b.Run(zone, func(b *testing.B) {
			text := minutes(10_000)
			b.ReportAllocs()
			for b.Loop() {
				times, _ := newReplayTimes(zone, "")
				rows := newReplayRows(strings.NewReader(text), "f", times, "1", "2")
				for {
					if _, err := rows.next(); err != nil {
						break
					}
				}
			}
			b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
