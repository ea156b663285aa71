package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilesOfSecretsThatEverybodyMayReadAreWarnedOf(t *testing.T) {
	t.Parallel()
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o444: true} {
		name := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(name, []byte("of no interest\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		warnOfOpenSecrets(t.Context(), func(variable string) string {
			if variable == "READOUT_SMTP_URL_FILE" {
				return name
			}
			return ""
		}, slog.New(slog.NewTextHandler(&log, nil)))
		if got := strings.Contains(log.String(), "READOUT_SMTP_URL_FILE"); got != warned || strings.Contains(log.String(), "of no interest") {
			t.Errorf("mode %o: warned %v\n%s", mode, got, log.String())
		}
	}
}

func TestASecretOfAFileIsWithoutItsLastLineBreak(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte("scrape-3kV9wq2LrT7x\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var c Config
	err := c.readSecrets(func(variable string) string {
		return map[string]string{"READOUT_METRICS_TOKEN_FILE": name, "READOUT_SMTP_URL": "smtp://u:p@h"}[variable]
	})
	if err != nil || c.MetricsToken != "scrape-3kV9wq2LrT7x" || c.SMTPURL != "smtp://u:p@h" {
		t.Errorf("got %q, %q, %v", c.MetricsToken, c.SMTPURL, err)
	}
}
