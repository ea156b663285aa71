package history_test

import (
	"math"
	"slices"
	"testing"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
)

func TestNewestLooksForThoseThatWereDeleted(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	putChunk(t, pool, project, at(1, 1, 0), at(1, 4, 0))
	putChunk(t, pool, project, at(2, 4, 0))
	setPacked(t, pool, project, 9)
	for series, newest := range map[int64]reading.Reading{1: at(1, 4, 0), 2: at(2, 4, 0)} {
		exec(t, pool, `insert into latest (project_id, series_id, "time", value, "offset")
			values ($1, $2, to_timestamp($3::float8 / 1e6), $4, 9)`, project, series, newest.Time, newest.Value)
	}
	p := start(t, pool, history.Config{})
	p.mustAppend(t, project, at(3, 5, 1))
	p.mustDelete(t, project, reading.Deletion{Series: 1, From: at(1, 2, 0).Time, To: math.MaxInt64})
	p.mustDelete(t, project, reading.Deletion{Series: 2, From: at(1, 0, 0).Time, To: math.MaxInt64})
	offset, newest, err := p.reader.Newest(t.Context(), project, []int64{3, 1, 2, 4})
	if err != nil {
		t.Fatal(err)
	}
	if head, _ := p.follower.Applied(project); offset != head {
		t.Errorf("as of %d, not of the head, %d", offset, head)
	}
	want := []tail.State{tail.Known, tail.Known, tail.None, tail.None}
	var states []tail.State
	for _, n := range newest {
		states = append(states, n.State)
	}
	if !slices.Equal(states, want) || newest[0].Reading != at(3, 5, 1) || newest[1].Reading != at(1, 1, 0) {
		t.Errorf("got %+v", newest)
	}
}

// Who goes on with the entries behind the offset has all that there is.
func TestMinMaxAtSaysWhereToGoOn(t *testing.T) {
	t.Parallel()
	_, p, project, rs := long(t, history.Config{}, 50_000)
	p.mustAppend(t, project, at(1, 1_000_000, 7))
	before, _ := p.follower.Applied(project)
	offset, kept, err := p.reader.MinMaxAt(t.Context(), project, 1, rs[0].Time, 100)
	if err != nil {
		t.Fatal(err)
	}
	if offset != before || len(kept) > 100 || kept[0] != rs[0] || kept[len(kept)-1] != at(1, 1_000_000, 7) {
		t.Errorf("got %d readings from %v to %v, as of %d", len(kept), kept[0], kept[len(kept)-1], offset)
	}
	if offset, kept, err = p.reader.MinMaxAt(t.Context(), project, 2, 0, 100); offset != before || len(kept) != 0 || err != nil {
		t.Errorf("of a series without readings: %v as of %d, %v", kept, offset, err)
	}
}
