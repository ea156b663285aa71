package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// matrixFile is the table of what everybody gets: see its head.
const matrixFile = "testdata/matrix.txt"

var outcome = regexp.MustCompile(`^(ok|empty|[45]\d\d)$`)

// readMatrix returns the expected outcomes, in the order of principals, by the names of rows.
func readMatrix(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	var columns []string
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		words := strings.Fields(line)
		if columns == nil {
			columns = words
			if !slices.Equal(columns, principals) {
				t.Fatalf("%s: the columns are %v, want %v", matrixFile, columns, principals)
			}
			continue
		}
		name, outcomes := strings.Join(words[:len(words)-min(len(columns), len(words))], " "), words[max(0, len(words)-len(columns)):]
		switch {
		case name == "":
			t.Fatalf("%s:%d: a row is a name and %d outcomes", matrixFile, i+1, len(columns))
		case rows[name] != nil:
			t.Fatalf("%s:%d: %s is there twice", matrixFile, i+1, name)
		}
		for _, o := range outcomes {
			if !outcome.MatchString(o) {
				t.Errorf("%s:%d: %s is no outcome", matrixFile, i+1, o)
			}
		}
		rows[name] = outcomes
	}
	return rows
}

// matrixLine is a row as the file has it.
func matrixLine(name string, outcomes []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-34s", name)
	for i, o := range outcomes {
		fmt.Fprintf(&b, " %-*s", len(principals[i]), o)
	}
	return strings.TrimSpace(b.String())
}
