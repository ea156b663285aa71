package store_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// Who looks for the first rows of young learns of all that begin before a moment: none that begin together are torn apart,
// and none that reach in from before From is missing.
func TestFirstRowsOfYoungAreFoundWithThoseThatBeginTogether(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	day := utc(2026, 3, 1, 0)
	row := func(upto, first, last int64) store.YoungRow {
		return store.YoungRow{
			Day: day, FirstSeries: 1, LastSeries: 9, Upto: upto, Since: upto - 1, Part: 1, Parts: 1,
			FirstTime: day.UnixMicro() + first, LastTime: day.UnixMicro() + last, Count: 1, Payload: []byte{2},
		}
	}
	rows := []store.YoungRow{row(7, 0, 9), row(1, 0, 100), row(2, 10, 100), row(3, 60, 61), row(6, 50, 51), row(4, 60, 61), row(5, 70, 71)}
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return store.CopyYoung(t.Context(), tx, 1, rows) })
	if err != nil {
		t.Fatal(err)
	}
	f := func(most int, want ...int64) {
		t.Helper()
		p, err := store.FindPacked(t.Context(), pool, store.Wanted{
			Project: 1, Series: []int64{3}, From: day.UnixMicro() + 10, To: day.UnixMicro() + 1000, MaxChunks: 1, MaxYoung: most, MaxRows: 6,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close(t.Context())
		var got []int64
		for _, k := range p.Young {
			got = append(got, k.Upto)
		}
		if !slices.Equal(got, want) {
			t.Errorf("at most %d: got %v, want %v", most, got, want)
		}
	}
	f(1, 1, 2)
	f(2, 1, 2)
	f(3, 1, 2, 6)
	f(4, 1, 2, 3, 4, 6)
	f(5, 1, 2, 3, 4, 6)
	f(6, 1, 2, 3, 4, 5, 6)
	f(0, 1, 2, 3, 4, 5, 6)
}
