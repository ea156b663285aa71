package pack

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/readout-dev/readout/reading"
)

// deletedNaively returns the readings of a batch that no later deletion covers.
func deletedNaively(b *batch) (left []reading.Reading) {
	for i, r := range b.readings {
		gone := slices.ContainsFunc(b.deletions, func(d deletion) bool {
			return d.Series == r.Series && i < d.behind && d.Covers(r.Time)
		})
		if !gone {
			left = append(left, r)
		}
	}
	return left
}

func TestADeletionOfABatchTakesWhatCameBeforeIt(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		b := &batch{}
		for range random.IntN(12) {
			for range random.IntN(6) {
				b.readings = append(b.readings, reading.Reading{Series: random.Int64N(3), Time: random.Int64N(20), Value: 1})
			}
			for range random.IntN(3) {
				from := random.Int64N(20)
				d := reading.Deletion{Series: random.Int64N(3), From: from, To: from + random.Int64N(6)}
				if random.IntN(20) == 0 {
					d = reading.DeleteAll(d.Series)
				}
				b.deletions = append(b.deletions, deletion{d, len(b.readings)})
			}
		}
		before, want := slices.Clone(b.readings), deletedNaively(b)
		b.applyDeletions()
		if !slices.Equal(b.readings, want) {
			t.Fatalf("of %v the deletions %v leave %v, want %v", before, b.deletions, b.readings, want)
		}
	}
}

// Looking at each deletion for each reading would take some seconds here, and a minute for the largest batch.
func TestManyDeletionsOfOneSeriesTakeNoLonger(t *testing.T) {
	t.Parallel()
	b := &batch{}
	for i := range int64(maxDeletions) {
		for j := range int64(40) {
			b.readings = append(b.readings, reading.Reading{Series: 4, Time: i*1000 + j})
		}
		b.deletions = append(b.deletions, deletion{reading.Deletion{Series: 4, From: i*1000 + 39, To: i*1000 + 40}, len(b.readings)})
	}
	began := time.Now()
	b.applyDeletions()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	} else {
		t.Logf("it took %v", took)
	}
	if want := 39 * maxDeletions; len(b.readings) != want {
		t.Errorf("%d readings are left, want %d", len(b.readings), want)
	}
}
