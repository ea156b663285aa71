package pack_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

func number(i int) float64 { return float64(i%50) / 2 }

// shape says how many readings each chunk of the series has, and each row of young.
func (s *site) shape(series int64) (chunks, young []int) {
	for _, c := range s.chunks() {
		if c.first == series {
			chunks = append(chunks, len(c.readings))
		}
	}
	for _, y := range s.young() {
		young = append(young, len(y.readings))
	}
	return chunks, young
}

func (s *site) wantShape(series int64, chunks, young []int) {
	s.t.Helper()
	c, y := s.shape(series)
	if fmt.Sprint(c, y) != fmt.Sprint(chunks, young) {
		s.t.Errorf("series %d has chunks of %v readings, and there are young rows of %v; want %v, %v", series, c, y, chunks, young)
	}
}

func TestADayThatIsOverIsSettled(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	s.append(append(every(time.Minute, 4, "2026-01-05 10:00:00", 34, number), every(time.Minute, 5, "2026-01-05 10:00:00", 4, number)...)...)
	s.pack()

	s.settle(clock("2026-01-06 00:59:59"))
	s.wantShape(4, nil, []int{7, 7, 7, 7, 6, 4})
	s.settle(clock("2026-01-06 01:00:00"))
	s.wantShape(4, []int{10, 10, 14}, []int{4})
	s.check()
	s.settle(clock("2026-02-01 23:59:59"))
	s.wantShape(5, nil, []int{4})
	s.settle(clock("2026-02-02 00:00:00"))
	s.wantShape(5, []int{4}, nil)
	s.check()
}

func TestAMonthThatIsOverPutsItsDaysTogether(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	for day := 1; day <= 31; day++ {
		s.append(every(time.Hour, 4, fmt.Sprintf("2026-01-%02d 00:00:00", day), 3, number)...)
	}
	s.pack()
	s.settle(clock("2026-02-03 00:00:00"))
	s.wantShape(4, []int{10, 10, 10, 10, 10, 10, 10, 10, 13}, nil)
	s.check()
}

func TestLateReadingsRewriteOnlyTheChunksTheyReach(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 50, number)...)
	s.pack()
	s.settle(clock("2026-01-06 02:00:00"))
	s.wantShape(4, []int{10, 10, 10, 10, 10}, nil)
	before := s.versions()

	s.append(reading.Reading{Series: 4, Time: at("2026-01-05 10:12:30"), Value: 7}, reading.Reading{Series: 4, Time: at("2026-01-05 10:35:00"), Value: -1})
	s.pack()
	s.settle(clock("2026-01-06 02:00:00"))

	s.wantShape(4, []int{10, 11, 10, 10, 10}, nil)
	after := s.versions()
	for i, kept := range []bool{true, false, true, false, true} {
		if (before[i] == after[i]) != kept {
			t.Errorf("chunk %d: version %d became %d, want it kept: %v", i, before[i], after[i], kept)
		}
	}
	s.check()
}

func TestASmallChunkTakesInWhatComesBesideIt(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 3, number)...)
	s.pack()
	s.settle(clock("2026-02-03 00:00:00")) // a chunk of three, since the month is over
	s.wantShape(4, []int{3}, nil)

	s.append(every(time.Minute, 4, "2026-01-05 12:00:00", 4, number)...)
	s.pack()
	s.settle(clock("2026-02-03 00:00:00"))

	s.wantShape(4, []int{7}, nil)
	s.check()
}

func TestManyRunsOfADayBecomeOne(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	for i := range 3 {
		s.append(every(time.Second, 4, "2026-01-05 10:00:00", 3+i, func(int) float64 { return float64(i) })...)
		s.pack()
	}
	s.wantShape(4, nil, []int{5})
	if y := s.young()[0]; y.tier != 1 || y.since != 0 || y.upto != 3 {
		t.Errorf("the merged run is %+v", y)
	}
	s.check()
}

func TestDeletionsReachIntoWhatIsSettled(t *testing.T) {
	t.Parallel()
	minute := func(n int) int64 { return at("2026-01-05 10:00:00") + int64(n)*60_000_000 }
	for name, each := range map[string]struct {
		deletion reading.Deletion
		chunks   []int
		young    []int
	}{
		"one reading":        {reading.Deletion{Series: 4, From: minute(12), To: minute(12) + 1}, []int{10, 9, 10, 10, 10}, []int{4}},
		"a chunk and more":   {reading.Deletion{Series: 4, From: minute(9), To: minute(22)}, []int{9, 8, 10, 10}, []int{4}},
		"a day":              {reading.Deletion{Series: 4, From: at("2026-01-05 00:00:00"), To: at("2026-01-06 00:00:00")}, nil, []int{4}},
		"between readings":   {reading.Deletion{Series: 4, From: minute(2) + 1, To: minute(3)}, []int{10, 10, 10, 10, 10}, []int{4}},
		"all of the series":  {reading.DeleteAll(4), nil, []int{4}},
		"half a young row":   {reading.Deletion{Series: 5, From: minute(1), To: minute(3)}, []int{10, 10, 10, 10, 10}, []int{2}},
		"a young row":        {reading.DeleteAll(5), []int{10, 10, 10, 10, 10}, nil},
		"from then on":       {reading.Deletion{Series: 4, From: minute(45), To: 1<<63 - 1}, []int{10, 10, 10, 10, 5}, []int{4}},
		"a series not there": {reading.DeleteAll(6), []int{10, 10, 10, 10, 10}, []int{4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup(t, pack.Config{Sizes: tiny})
			s.append(append(every(time.Minute, 4, "2026-01-05 10:00:00", 50, number), every(time.Minute, 5, "2026-01-05 10:00:00", 4, number)...)...)
			s.pack()
			s.settle(clock("2026-01-06 02:00:00"))
			s.remove(each.deletion)
			s.pack()
			s.wantShape(4, each.chunks, each.young)
			s.check()
		})
	}
}

func TestARunStaysWithoutHolesWhenOneOfItsRowsIsDeleted(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 21, number)...)
	s.pack()
	s.remove(reading.Deletion{Series: 4, From: at("2026-01-05 10:07:00"), To: at("2026-01-05 10:14:00")})
	s.pack()
	s.wantShape(4, nil, []int{7, 7})
	s.check()
}

func TestADeletionSparesWhatComesBehindIt(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 5, number)...)
	s.pack()
	s.append(every(time.Minute, 4, "2026-01-05 10:03:00", 5, number)...)
	s.remove(reading.DeleteAll(4))
	s.append(every(time.Minute, 4, "2026-01-05 10:01:00", 2, number)...)
	s.pack()
	s.wantShape(4, nil, []int{2})
	s.check()
}

// versions returns the versions of the chunks, by series and time.
func (s *site) versions() (vs []int64) {
	s.t.Helper()
	row := s.pool.QueryRow(s.t.Context(), `select array_agg(version order by series_id, first_time) from chunk where project_id = $1`, s.project)
	if err := row.Scan(&vs); err != nil {
		s.t.Fatal(err)
	}
	return vs
}

func TestFewLateReadingsGoIntoTheChunkBehindThem(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 20, number)...)
	s.pack()
	s.settle(clock("2026-01-06 02:00:00"))

	s.append(every(time.Minute, 4, "2026-01-05 09:00:00", 3, number)...)
	s.pack()
	s.settle(clock("2026-01-06 02:00:00"))

	s.wantShape(4, []int{13, 10}, nil)
	s.check()
}
