package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the files that are made from the configuration")

// configurationPage is docs/configuration.md.
func configurationPage() string {
	var b strings.Builder
	b.WriteString("# Configuration\n\nFor operators. Made from `cmd/readout/config.go` by `make generate`; a test compares it.\n\n" +
		"Every setting is an environment variable; those that are no secrets are flags, too, and a flag wins. A setting without a\n" +
		"flag is a secret: instead of `NAME`, `NAME_FILE` may name a file that holds it. A variable that begins with `READOUT_`\n" +
		"and is not one of these is refused. `readout config` prints what is in effect.\n\n" +
		"| variable | flag | default | what |\n|---|---|---|---|\n")
	for _, s := range (Config{}).settings() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.env, code(s.flag), code(s.byDefault), s.help)
	}
	b.WriteString("\nCommands that talk to a server (`readout replay`) also read `READOUT_URL` and `READOUT_KEY`.\n")
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// environmentExample is .env.example.
func environmentExample() string {
	var b strings.Builder
	b.WriteString("# Settings of Readout; copy this file to .env. Made from cmd/readout/config.go: see docs/configuration.md.\n")
	b.WriteString("\n# For docker-compose.yml: the password of its PostgreSQL, and the secret of access tokens.\nPOSTGRES_PASSWORD=\n")
	for _, s := range (Config{}).settings() {
		fmt.Fprintf(&b, "\n# %s\n", s.help)
		if s.env != "READOUT_JWT_SECRET" {
			b.WriteString("# ")
		}
		fmt.Fprintf(&b, "%s=%s\n", s.env, s.byDefault)
	}
	return b.String()
}

func TestDocumentsSayWhatCanBeSet(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"../../docs/configuration.md": configurationPage(),
		"../../.env.example":          environmentExample(),
	} {
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil || string(got) != want {
			t.Errorf("%s is not what config.go says (%v): run make generate", file, err)
		}
	}
}

func TestEverySettingIsDescribed(t *testing.T) {
	t.Parallel()
	for _, s := range (Config{}).settings() {
		if !strings.HasPrefix(s.env, "READOUT_") || len(s.help) < 20 {
			t.Errorf("%+v: has no variable or no help", s)
		}
	}
}
