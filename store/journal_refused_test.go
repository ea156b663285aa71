package store

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestOnlyWhatTheServerSaysAndSurvivesProvesThatAnAppendDidNotCommit(t *testing.T) {
	t.Parallel()
	expect := func(want bool, err error) {
		t.Helper()
		if got := isRefused(err); got != want {
			t.Errorf("%v proves it: %v, want %v", err, got, want)
		}
	}
	state := func(severity, code string) error {
		return &pgconn.PgError{SeverityUnlocalized: severity, Code: code}
	}
	expect(true, state("ERROR", "23514"))
	expect(true, state("ERROR", "57014")) // canceled: rolled back
	expect(false, state("ERROR", "40003"))
	expect(false, state("FATAL", "57P01")) // ended, perhaps after its commit
	expect(false, state("PANIC", "XX000"))
	expect(false, io.ErrUnexpectedEOF)
	expect(false, context.DeadlineExceeded)
	expect(false, errors.New("anything else"))
}
