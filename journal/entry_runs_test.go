package journal

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/reading"
)

func TestEntryKnowsWhereEachSeriesIsWithAnIndexAsWithout(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var plain Entry
		for i, id := range rapid.SliceOfN(rapid.Int64Range(60, 200), 0, 30).Draw(t, "series") {
			plain.Readings = append(plain.Readings, reading.Reading{Series: id, Time: int64(i), Value: 1})
		}
		plain.Readings = reading.Sort(plain.Readings)
		indexed := plain
		indexed.Index()
		for name, e := range map[string]*Entry{"plain": &plain, "indexed": &indexed} {
			var all []reading.Reading
			for id, run := range e.Runs {
				if len(run) == 0 || !slices.Equal(run, e.RunOf(id)) {
					t.Fatalf("%s: the run of %d is %v, and looked for %v", name, id, run, e.RunOf(id))
				}
				all = append(all, run...)
			}
			if !slices.Equal(all, plain.Readings) {
				t.Fatalf("%s: the runs are %v, of %v", name, all, plain.Readings)
			}
			blocks := map[int64]uint64{}
			for at, bits := range e.Blocks {
				blocks[at] |= bits
			}
			for id := range int64(210) {
				has := slices.ContainsFunc(plain.Readings, func(r reading.Reading) bool { return r.Series == id })
				if has != (len(e.RunOf(id)) > 0) || has != (blocks[id>>6]&(1<<(id&63)) != 0) {
					t.Fatalf("%s: of %d there is %v", name, id, e.RunOf(id))
				}
			}
		}
	})
}
