package pack_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

// writtenYoung returns how many young rows were written with their readings.
func writtenYoung(t *testing.T, reg *prometheus.Registry) (n int) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "readout_pack_rows_total" && strings.HasPrefix(m.GetLabel()[0].GetValue(), "young") {
				n += int(m.GetCounter().GetValue())
			}
		}
	}
	return n
}

func TestADeletionWritesOnlyTheReadingsThatItChanges(t *testing.T) {
	t.Parallel()
	for name, each := range map[string]struct {
		deletions []reading.Deletion
		young     []int
		writes    int
	}{
		"the first row": {[]reading.Deletion{{Series: 4, From: at("2026-01-05 10:00:00"), To: at("2026-01-05 10:07:00")}}, []int{7, 7, 7, 7}, 0},
		"a whole row":   {[]reading.Deletion{{Series: 4, From: at("2026-01-05 10:14:00"), To: at("2026-01-05 10:21:00")}}, []int{7, 7, 7, 7}, 0},
		"the last row":  {[]reading.Deletion{{Series: 4, From: at("2026-01-05 10:28:00"), To: 1<<63 - 1}}, []int{7, 7, 7, 7}, 0},
		"a row and some of two": {
			[]reading.Deletion{{Series: 4, From: at("2026-01-05 10:13:00"), To: at("2026-01-05 10:23:00")}}, []int{7, 6, 5, 7}, 2,
		},
		"two rows apart": {[]reading.Deletion{
			{Series: 4, From: at("2026-01-05 10:00:00"), To: at("2026-01-05 10:07:00")},
			{Series: 4, From: at("2026-01-05 10:20:00"), To: at("2026-01-05 10:28:00")},
		}, []int{7, 6, 7}, 1},
		"all": {[]reading.Deletion{reading.DeleteAll(4)}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reg := prometheus.NewRegistry()
			s := setup(t, pack.Config{Sizes: tiny, Metrics: reg})
			s.append(every(time.Minute, 4, "2026-01-05 10:00:00", 35, number)...)
			s.pack()
			before := writtenYoung(t, reg)
			s.remove(each.deletions...)
			s.pack()
			s.wantShape(4, nil, each.young)
			s.check()
			if n := writtenYoung(t, reg) - before; n != each.writes {
				t.Errorf("it wrote %d rows, want %d", n, each.writes)
			}
		})
	}
}

func TestADeletionReachesIntoManyRuns(t *testing.T) {
	t.Parallel()
	s := setup(t, pack.Config{Sizes: tiny})
	for day := range 28 {
		for i := range 2 {
			s.append(every(time.Minute, 4, fmt.Sprintf("2026-01-%02d 1%d:00:00", day+1, i), 50, number)...)
			s.pack()
		}
	}
	s.remove(reading.Deletion{Series: 4, From: at("2026-01-01 10:10:00"), To: at("2026-01-28 11:30:00")})
	s.pack()
	s.check()
	s.remove(reading.DeleteAll(4))
	s.append(every(time.Minute, 4, "2026-01-02 10:00:00", 5, number)...)
	s.pack()
	s.wantShape(4, nil, []int{5})
	s.check()
}
