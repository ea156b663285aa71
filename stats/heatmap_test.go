package stats

import (
	"testing"
	"time"
)

// hours makes a bucket for each hour from a time on, with the readings 0, 1, 2 and so on.
func hours(from time.Time, n int) []*Bucket {
	buckets := make([]*Bucket, n)
	for i := range buckets {
		start := from.Add(time.Duration(i) * time.Hour).UnixMicro()
		rs := series(float64(i))
		rs[0].Time = start
		buckets[i] = bucketOf(rs)
		buckets[i].Start, buckets[i].End = start, start+hour
	}
	return buckets
}

func TestHeatmapByDayHasACellForEachHourOfTheClock(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	f := func(date string, hoursOfDay, cells int) []Cell {
		t.Helper()
		midnight, err := time.ParseInLocation(time.DateOnly, date, berlin)
		if err != nil {
			t.Fatal(err)
		}
		got := Heatmap(hours(midnight, hoursOfDay), berlin, false)
		if len(got) != cells || got[0].Day != date || got[0].Hour != 0 || got[cells-1].Day != date || got[cells-1].Hour != 23 || got[0].Weekday != midnight.Weekday() {
			t.Errorf("%s: %d cells from %v to %v", date, len(got), got[0], got[len(got)-1])
		}
		return got
	}
	f("2018-04-03", 24, 24)
	f("2018-03-25", 23, 23) // from 1:59 to 3:00
	twice := f("2018-10-28", 25, 24)[2]
	if twice.Bucket.Summary.Count != 2 || twice.Bucket.End-twice.Bucket.Start != 2*hour || twice.Bucket.Series != 1 {
		t.Errorf("the hour that comes twice is %+v", twice.Bucket)
	}
	wants(t, twice.Bucket, "mean", Mean, 2.5)
	wants(t, twice.Bucket, "median", Median, 2.5)
}

func TestHeatmapByWeekdayBeginsOnMonday(t *testing.T) {
	t.Parallel()
	buckets := hours(time.Date(2018, 4, 4, 0, 0, 0, 0, time.UTC), 14*24) // a Wednesday
	got := Heatmap(buckets, nil, true)
	if len(got) != 7*24 {
		t.Fatalf("%d cells", len(got))
	}
	days := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
	for i, cell := range got {
		if cell.Day != "" || cell.Weekday != days[i/24] || cell.Hour != i%24 || cell.Bucket.Summary.Count != 2 {
			t.Fatalf("cell %d is %+v", i, cell)
		}
	}
	wants(t, got[2*24+5].Bucket, "mean", Mean, (5+(5+168))/2.0)
	for i, b := range buckets {
		if b.Summary.Count != 1 || b.Values.Count() != 1 {
			t.Fatalf("bucket %d is changed: %+v", i, b)
		}
	}
}

func TestHeatmapHasNoCellsWithoutReadings(t *testing.T) {
	t.Parallel()
	if got := Heatmap(nil, nil, true); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	some := hours(time.Date(2018, 4, 4, 7, 0, 0, 0, time.UTC), 1)
	got := Heatmap([]*Bucket{nil, {Start: 5}, some[0]}, time.UTC, false)
	if len(got) != 1 || got[0] != (Cell{Day: "2018-04-04", Weekday: time.Wednesday, Hour: 7, Bucket: some[0]}) {
		t.Errorf("got %v", got)
	}
}
