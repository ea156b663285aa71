package pack_test

import (
	"testing"
	"time"

	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

// The readings that the rollups were made of are gone: what comes late would leave rollups of itself alone.
func TestLateReadingsOfExpiredMonthsChangeNoRollups(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 50, number)...)
	s.pack()
	s.settle(clock("2026-01-06 02:00:00"))
	count := func() (n int) {
		t.Helper()
		row := s.pool.QueryRow(t.Context(), `select sum(count) from rollup_day where project_id = $1`, s.project)
		if err := row.Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	keep := func(days int) {
		t.Helper()
		if _, err := s.pool.Exec(t.Context(), `update projects set keep_readings_days = $2 where id = $1`, s.project, days); err != nil {
			t.Fatal(err)
		}
	}

	keep(30)
	if _, err := s.pool.Exec(t.Context(), `delete from chunk where project_id = $1`, s.project); err != nil { // as retention does
		t.Fatal(err)
	}
	s.append(reading.Reading{Series: 4, Time: at("2026-01-05 10:12:30"), Value: 7})
	s.pack()
	s.settle(clock("2026-03-10 00:00:00"))
	if n := count(); n != 50 {
		t.Errorf("the rollups count %d readings, want the 50 that there were", n)
	}
	keep(60) // January is kept again
	s.settle(clock("2026-03-01 00:00:00"))
	if n := count(); n != 1 {
		t.Errorf("the rollups count %d readings of a month that is kept, want the one that is there", n)
	}
}
