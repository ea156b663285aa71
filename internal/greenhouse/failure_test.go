package greenhouse

import (
	"math"
	"testing"
	"time"
)

// wrongBy returns how much a station's thermometer is off, and what it says, in one whole cycle of the failure, every five minutes.
func wrongBy(h *House, device int) (off, says []float64) {
	shift := int64(h.uniform(streamFailure, 0) * failureCycle)
	from := (start.UnixMicro()/failureCycle+1)*failureCycle - shift
	s := newStation(h, device)
	for us := from; us < from+failureCycle; us += 5 * 60 * 1e6 {
		healthy := s.measure(us)[Temperature]
		said := healthy
		if device == failing {
			said = s.failed(us, healthy)
		}
		off, says = append(off, said-healthy), append(says, said)
	}
	return off, says
}

func TestThermometerDriftsSpikesAndGetsStuck(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		off, says := wrongBy(New(seed), failing)
		const day = 288
		stage := func(from, to int) []float64 { return off[from*day : to*day] }
		for _, o := range append(stage(0, 9), stage(19, 20)...) {
			if o != 0 {
				t.Fatalf("seed %d: a healthy thermometer is off by %v", seed, o)
			}
		}
		if early, late := mean(stage(9, 10)), mean(stage(13, 14)); early < 0 || early > 0.3 || late < early+1 {
			t.Errorf("seed %d: drifts from %.2f to %.2f Cel", seed, early, late)
		}
		spikes := 0
		for _, o := range stage(14, 17) {
			if math.Abs(o) > spikesUp-driftsBy {
				spikes++
			}
		}
		if spikes < 10 || spikes > 50 {
			t.Errorf("seed %d: %d spikes in %d readings", seed, spikes, 3*day)
		}
		for _, v := range says[17*day : 19*day] {
			if v != says[17*day] {
				t.Fatalf("seed %d: stuck at %v, then %v", seed, says[17*day], v)
			}
		}
	}
}

func TestOnlyOneThermometerFails(t *testing.T) {
	t.Parallel()
	h := New(1)
	for device := range bays {
		w := h.Window(device, start, start.AddDate(0, 0, 30), 5*time.Minute)
		longest, run := 0, 0
		for i := 1; i < len(w.Times); i++ {
			if w.Values[Temperature][i] == w.Values[Temperature][i-1] {
				run++
			} else {
				run = 0
			}
			longest = max(longest, run)
		}
		if stuck := longest > 24; stuck != (device == failing) {
			t.Errorf("device %d: the same temperature %d times", device, longest)
		}
	}
}
