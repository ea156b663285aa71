// Command bench measures what Readout claims. Each scenario starts all that it needs, runs Readout and a reference in the
// same run, prints a table for people and, last, one line
//
//	RESULT name ratio=… key=value …
//
// where ratio says how many times better Readout is than the reference: bigger is better.
//
//	go run ./bench -list
//	go run ./bench NAME [-quick]
//	go run ./bench stats [-quick]   # all stats-… scenarios on one load
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
)

// scenario is one measurement; quick ones end within a minute or two.
type scenario struct {
	name, what string
	run        func(ctx context.Context, quick bool) (result, error)
}

// scenarios is the whole list, in order.
var scenarios = []scenario{
	{"decode-json", "decoding a body of 1,000 readings, against encoding/json", runDecodeJSON},
	{"ingest-batch", "HTTP JSON, 1,000 readings a request, 16 clients, to the durable answer, against COPY into a table with its primary key", runIngest},
	{"ingest-cpu", "PostgreSQL's processor time for a reading, sent as above, against INSERT … unnest … ON CONFLICT DO NOTHING", runIngestCPU},
	{"ingest-small", "64 clients, 1 to 10 readings a request over HTTP, against one INSERT a request on 64 connections", runIngestSmall},
	{"wal", "bytes of PostgreSQL's log for a reading, sent, packed and settled, against COPY into a table with its primary key", runWAL},
	{"size", "bytes at rest for a reading of 1,000 gauges each 10 s, against a row in a table with its primary key", runSize},
	{"size-slow", "bytes at rest for a reading of many gauges each 10 minutes, against a row in a table with its primary key", runSizeSlow},
	{"pack", "packing and settling at 60 readings a series, readings a second of one core, against 5 million", runPack},
	{"decode", "reading whole series from their chunks, fetching included, against reading rows in the order of their key", runDecode},
	{"chart-year", "a year of one series in 500 buckets with exact p95, against SQL on rows in the order of their key", runChartYear},
	{"stats-hourly", "hourly p50, p95 and p99 of 30 days of one series, against 10 ms", onStats(statsHourly)},
	{"stats-year", "a year of one series in 500 buckets with exact p95, asked of the engine of statistics, against SQL", onStats(statsYear)},
	{"stats-group-hour", "p99 by hour, of a week of 100 series in 10 groups, against SQL", onStats(statsGroupHour)},
	{"stats-group-day", "p99 by day, of 90 days of 100 series in 10 groups, against SQL", onStats(statsGroupDay)},
	{"stats-months", "the months in Berlin of a year of all series, against SQL", onStats(statsMonths)},
	{"stats-decimate", "a million readings of one series thinned to 1,000 points, against fetching their rows", onStats(statsDecimate)},
	{"stats-growth", "the chart of stats-year with ten times the data stored, the cheaper against the dearer", onStats(statsGrowth)},
	{"stats-beside", "small appends at a fixed pace while 50 clients ask for heavy statistics, against when nobody asks", runStatsBeside},
	{"last-value", "the newest reading of 10,000 series, against a LATERAL probe of the key", runLastValue},
	{"growth", "append, point read and 24 h read with ever more stored: the least against the most", runGrowth},
	{"restart", "the start after kill -9 with millions of unpacked readings, in readings a second, against 10 million", runRestart},
	{"overload", "four times as much offered as the server takes: what it takes, against what it takes when it is not", runOverload},
	{"live", "POST to subscription event, against a bare INSERT … COMMIT of one row", runLive},
	{"live-charts", "1,000 readings/s in 100 entries/s to 5,000 charts of 100 kinds, from the POST to the client, against 10 ms", runLiveCharts},
	{"live-broadcast", "an entry a second to 10,000 subscribers of one operation, against a bare broadcaster of the same bytes", runLiveBroadcast},
	{"live-idle", "10,000 subscribers to whom nothing happens: memory, goroutines and statements, against 15 kB each", runLiveIdle},
	{"live-changes", "as many changes as 500 subscribers with keys of their own take, against 1,000 a second", runLiveChanges},
	{"live-ingest", "ingest of readings beside 1,000 charts of them, against ingest without", runLiveIngest},
	{"live-stalled", "50 of 100 subscribers stop reading: the others' p99 before, against after", runLiveStalled},
	{"live-soak", "half an hour of clients that come and go while readings flow: resident memory after the warm-up, against at the end", runLiveSoak},
	{"demo", "demo until ready, from an empty folder, against 30 s", runDemo},
}

// suites run several scenarios on what they fill in once.
var suites = []struct {
	name, what string
	run        func(ctx context.Context, quick bool, show func(name string, r result) error) error
}{
	{"stats", "all of stats-…, one after the other", runStats},
}

// result is what a scenario found: a table, and the keys of its last line in order.
type result struct {
	header []string
	rows   [][]string
	ratio  float64
	keys   []string // "key=value"
}

func main() {
	if slices.Equal(os.Args[1:], []string{broadcasterName}) {
		if err := broadcast(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	list := flag.Bool("list", false, "list the scenarios")
	flag.Usage = usage
	flag.Parse()
	if *list {
		for _, s := range scenarios {
			fmt.Printf("%-16s %s\n", s.name, s.what)
		}
		for _, s := range suites {
			fmt.Printf("%-16s %s\n", s.name, s.what)
		}
		return
	}
	name := flag.Arg(0)
	rest := flag.NewFlagSet("bench", flag.ExitOnError)
	quick := rest.Bool("quick", false, "end within a minute or two")
	rest.Usage = usage
	if flag.NArg() > 1 {
		_ = rest.Parse(flag.Args()[1:]) // exits on an error
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := find(name)
	if run == nil {
		usage()
		os.Exit(2)
	}
	if err := run(ctx, *quick); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: go run ./bench -list\n       go run ./bench NAME [-quick]")
}

// find returns what runs a scenario or suite and prints what it finds; nil when there is none of that name.
func find(name string) func(ctx context.Context, quick bool) error {
	for _, s := range scenarios {
		if s.name == name {
			return func(ctx context.Context, quick bool) error {
				fmt.Printf("%s: %s\n\n", s.name, s.what)
				r, err := s.run(ctx, quick)
				if err != nil {
					return err
				}
				return show(s.name, r)
			}
		}
	}
	for _, s := range suites {
		if s.name == name {
			return func(ctx context.Context, quick bool) error {
				fmt.Printf("%s: %s\n\n", s.name, s.what)
				return s.run(ctx, quick, show)
			}
		}
	}
	return nil
}

// show prints what a scenario found.
func show(name string, r result) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, strings.Join(r.header, "\t")+"\t")
	for _, row := range r.rows {
		fmt.Fprintln(w, strings.Join(row, "\t")+"\t")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nRESULT %s ratio=%.2f %s\n", name, r.ratio, strings.Join(r.keys, " "))
	return nil
}
