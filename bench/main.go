// Command bench measures what Readout claims. Each scenario starts all that it needs, runs Readout and a reference in the
// same run, prints a table for people and, last, one line
//
//	RESULT name ratio=… key=value …
//
// where ratio says how many times better Readout is than the reference: bigger is better.
//
//	go run ./bench -list
//	go run ./bench NAME [-quick]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
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
	{"last-value", "the newest reading of 10,000 series, against a LATERAL probe of the key", runLastValue},
	{"growth", "append, point read and 24 h read with ever more stored: the least against the most", runGrowth},
	{"restart", "the start after kill -9 with millions of unpacked readings, in readings a second, against 10 million", runRestart},
	{"overload", "four times as much offered as the server takes: what it takes, against what it takes when it is not", runOverload},
	{"live", "POST to subscription event, against a bare INSERT … COMMIT of one row", runLive},
	{"demo", "demo until ready, from an empty folder, against 30 s", runDemo},
}

// result is what a scenario found: a table, and the keys of its last line in order.
type result struct {
	header []string
	rows   [][]string
	ratio  float64
	keys   []string // "key=value"
}

func main() {
	list := flag.Bool("list", false, "list the scenarios")
	flag.Usage = usage
	flag.Parse()
	if *list {
		for _, s := range scenarios {
			fmt.Printf("%-14s %s\n", s.name, s.what)
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
	for _, s := range scenarios {
		if s.name == name {
			if err := report(ctx, s, *quick); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
				stop()
				os.Exit(1)
			}
			return
		}
	}
	usage()
	os.Exit(2)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: go run ./bench -list\n       go run ./bench NAME [-quick]")
}

// report runs a scenario and prints what it found.
func report(ctx context.Context, s scenario, quick bool) error {
	fmt.Printf("%s: %s\n\n", s.name, s.what)
	r, err := s.run(ctx, quick)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, strings.Join(r.header, "\t")+"\t")
	for _, row := range r.rows {
		fmt.Fprintln(w, strings.Join(row, "\t")+"\t")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nRESULT %s ratio=%.2f %s\n", s.name, r.ratio, strings.Join(r.keys, " "))
	return nil
}
