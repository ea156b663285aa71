package pack_test

import (
	"testing"
	"time"

	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

// expired is a project whose readings have gone by age, and which keeps the rollup of the 50 of a day.
func expired(t *testing.T) *site {
	t.Helper()
	s := setup(t, pack.Config{Sizes: tiny})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 50, number)...)
	s.pack()
	s.settle(clock("2026-01-06 02:00:00"))
	s.keep(30)
	if _, err := s.pool.Exec(t.Context(), `delete from chunk where project_id = $1`, s.project); err != nil { // as retention does
		t.Fatal(err)
	}
	return s
}

// keep says how many days the project keeps its readings.
func (s *site) keep(days int) {
	s.t.Helper()
	if _, err := s.pool.Exec(s.t.Context(), `update projects set keep_readings_days = $2 where id = $1`, s.project, days); err != nil {
		s.t.Fatal(err)
	}
}

// rolled returns how many readings the rollups of days count.
func (s *site) rolled() (n int) {
	s.t.Helper()
	row := s.pool.QueryRow(s.t.Context(), `select coalesce(sum(count), 0) from rollup_day where project_id = $1`, s.project)
	if err := row.Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// The readings that the rollups were made of are gone: what comes late would leave rollups of itself alone.
func TestLateReadingsOfExpiredMonthsChangeNoRollups(t *testing.T) {
	t.Parallel()
	s := expired(t)
	s.append(reading.Reading{Series: 4, Time: at("2026-01-05 10:12:30"), Value: 7})
	s.pack()
	s.settle(clock("2026-03-10 00:00:00"))
	if n := s.rolled(); n != 50 {
		t.Errorf("the rollups count %d readings, want the 50 that there were", n)
	}
	s.keep(60) // January is kept again
	s.settle(clock("2026-03-01 00:00:00"))
	if n := s.rolled(); n != 1 {
		t.Errorf("the rollups count %d readings of a month that is kept, want the one that is there", n)
	}
}

func TestDeletionsInExpiredMonthsTakeRollupsOfWholeDaysAlone(t *testing.T) {
	t.Parallel()
	for name, each := range map[string]struct {
		from, to string
		left     int
	}{
		"a minute":      {"2026-01-05 10:12:00", "2026-01-05 10:13:00", 50},
		"all but a bit": {"2026-01-05 00:00:01", "2026-01-07 00:00:00", 50},
		"the day":       {"2026-01-05 00:00:00", "2026-01-06 00:00:00", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := expired(t)
			s.remove(reading.Deletion{Series: 4, From: at(each.from), To: at(each.to)})
			s.pack()
			if n := s.rolled(); n != each.left {
				t.Errorf("the rollups count %d readings, want %d", n, each.left)
			}
		})
	}
}

func TestDeletionsInMonthsThatAreKeptChangeTheirRollups(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 50, number)...)
	s.pack()
	s.settle(clock("2026-01-06 02:00:00"))
	s.keep(100 * 365)
	s.remove(reading.Deletion{Series: 4, From: at("2026-01-05 10:12:00"), To: at("2026-01-05 10:13:00")})
	s.pack()
	if n := s.rolled(); n != 49 {
		t.Errorf("the rollups count %d readings, want the 49 that are left", n)
	}
}
