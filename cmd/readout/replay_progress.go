package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"
)

// replayProgress tells how far a replay is: on a terminal in one line that rewrites itself, elsewhere in a line every few
// seconds.
type replayProgress struct {
	w        io.Writer
	name     string
	quiet    bool
	terminal bool
	every    time.Duration

	began      time.Time
	start      int64 // bytes of the file that were done when it began
	shown      time.Time
	unfinished bool // the terminal's line has no end yet
}

func newReplayProgress(w io.Writer, file string, quiet bool) *replayProgress {
	p := &replayProgress{w: w, name: filepath.Base(file), quiet: quiet, every: 5 * time.Second, began: time.Now(), start: -1}
	p.shown = p.began
	if file == "-" {
		p.name = "standard input"
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal, p.every = true, 100*time.Millisecond
	}
	return p
}

// note prints a line of its own.
func (p *replayProgress) note(format string, args ...any) {
	if p.quiet {
		return
	}
	p.clear()
	fmt.Fprintf(p.w, p.name+": "+format+"\n", args...)
}

// update says that so many readings are sent, and at bytes of size (0 when nobody knows).
func (p *replayProgress) update(sent int, at, size int64) {
	if p.start < 0 {
		p.start = at
	}
	if p.quiet || time.Since(p.shown) < p.every {
		return
	}
	p.shown = time.Now()
	text := p.text(sent, at, size)
	if !p.terminal {
		fmt.Fprintln(p.w, text)
		return
	}
	fmt.Fprint(p.w, "\r"+text+"\x1b[K")
	p.unfinished = true
}

func (p *replayProgress) text(sent int, at, size int64) string {
	elapsed := time.Since(p.began)
	rate := grouped(int(float64(sent) / max(elapsed.Seconds(), 1e-3)))
	if size == 0 {
		return fmt.Sprintf("%s: %s readings, %s/s", p.name, grouped(sent), rate)
	}
	left := "?"
	if done := at - p.start; done > 0 {
		left = time.Duration(float64(elapsed) * float64(size-at) / float64(done)).Round(time.Second).String()
	}
	return fmt.Sprintf("%s: %d %%, %s readings, %s/s, %s left", p.name, 100*at/size, grouped(sent), rate, left)
}

// end leaves the terminal's line as it is last seen.
func (p *replayProgress) end() { p.clear() }

func (p *replayProgress) clear() {
	if p.unfinished {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.unfinished = false
	}
}
