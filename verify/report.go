package verify

import (
	"errors"
	"fmt"
	"time"
)

// report gathers what is found.
type report struct {
	opt      Options
	project  int64
	findings []Finding
	before   int // findings of the projects before
	progress Progress
	told     time.Time
}

// errFull says that a project has more findings than are listed.
var errFull = errors.New("too many findings")

func (r *report) begin(project int64) {
	r.project, r.before = project, len(r.findings)
	r.progress.Project++
	r.tell()
}

// add adds a finding, unless there are enough.
func (r *report) add(table, key, problem, expected, found string) {
	switch n := len(r.findings) - r.before; {
	case n > r.opt.MaxFindings:
		return
	case n == r.opt.MaxFindings:
		table, key, problem, expected, found = "", "", "there are more findings: the rest of the project was not looked at", "", ""
	}
	r.findings = append(r.findings, Finding{r.project, table, key, problem, expected, found})
}

// full returns errFull when there is no use in looking on.
func (r *report) full() error {
	if len(r.findings)-r.before > r.opt.MaxFindings {
		return errFull
	}
	return nil
}

// read says that a row was read. It returns errFull as full does.
func (r *report) read(bytes int) error {
	r.progress.Rows++
	r.progress.Bytes += int64(bytes)
	if time.Since(r.told) > time.Second {
		r.tell()
	}
	return r.full()
}

func (r *report) tell() {
	r.told = time.Now()
	if r.opt.Progress != nil {
		r.opt.Progress(r.progress)
	}
}

func keyf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// at writes a time in µs.
func at(t int64) string { return time.UnixMicro(t).UTC().Format(time.RFC3339Nano) }

// span writes two times in µs.
func span(from, to int64) string { return at(from) + " to " + at(to) }

func number[T int | int64 | int16](n T) string { return fmt.Sprint(n) }
