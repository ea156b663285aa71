package store_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

func TestPackLatestKeepsTheNewestReading(t *testing.T) {
	t.Parallel()
	pool := testdb.New(t)
	f := func(what string, offset int64, news []store.PackedNewest, want ...string) {
		t.Helper()
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			return store.PackLatest(t.Context(), tx, 1, offset, news)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := latest(t, pool); !slices.Equal(got, want) {
			t.Errorf("%s: the rows are %q, want %q", what, got, want)
		}
	}
	const at = 4_102_444_800_123_457 // in the year 2100
	is := func(series, time int64, value float64) store.PackedNewest {
		return store.PackedNewest{Reading: reading.Reading{Series: series, Time: time, Value: value}}
	}
	certain := func(n store.PackedNewest) store.PackedNewest {
		n.Certain = true
		return n
	}
	none := store.PackedNewest{Reading: reading.Reading{Series: 3, Time: 9, Value: 9}, None: true, Certain: true}
	f("nothing", 1, nil)
	f("new series, in any order", 5, []store.PackedNewest{is(2, 0, -1.7e308), is(1, at, 0.1)}, "1 1 5 4102444800123457 0.1", "1 2 5 0 -1.7e+308")
	f("an older reading and the same one", 6, []store.PackedNewest{is(1, at-1, 7), is(2, 0, -1.7e308)}, "1 1 5 4102444800123457 0.1", "1 2 5 0 -1.7e+308")
	f("a correction and a newer one", 7, []store.PackedNewest{is(1, at, 7), is(2, 1, 8)}, "1 1 7 4102444800123457 7", "1 2 7 1 8")
	f("older news", 7, []store.PackedNewest{is(1, at+1, 1), certain(is(2, 5, 5))}, "1 1 7 4102444800123457 7", "1 2 7 1 8")
	f("what is certain", 8, []store.PackedNewest{certain(is(1, 3, 3)), certain(is(2, 1, 8)), none}, "1 1 8 3 3", "1 2 8 1 8", "1 3 8 - -")
	f("a reading where there was none", 9, []store.PackedNewest{is(3, 0, 0)}, "1 1 8 3 3", "1 2 8 1 8", "1 3 9 0 0")
}
