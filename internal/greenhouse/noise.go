package greenhouse

import "math"

// A stream is one source of chance; what it says at a place never depends on another stream.
type stream uint64

const (
	streamClouds stream = iota + 1
	streamGusts
	streamFlicker
	streamStorm
	streamAirMass
	streamHumidity
	streamVents
	streamWatering
	streamRadio
	streamFailure
	streamSpike
	streamNoise // one for each metric follows
)

// of returns the stream of one device: its chance is not that of its neighbours.
func (s stream) of(device int) stream { return s + stream(device+1)<<32 }

// mix spreads every bit of x over the whole word: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// bits returns the random word of a stream at place n.
func (h *House) bits(s stream, n int64) uint64 {
	return mix(h.seed ^ mix(uint64(s)^mix(uint64(n))))
}

// uniform returns the number in [0, 1) of a stream at place n.
func (h *House) uniform(s stream, n int64) float64 { return fraction(h.bits(s, n)) }

func fraction(bits uint64) float64 { return float64(bits>>11) / (1 << 53) }

// normal returns the number of a stream at place n, of mean 0 and deviation 1: the sum of four uniforms, which is
// bell-shaped and never beyond 3.5.
func (h *House) normal(s stream, n int64) float64 {
	b := h.bits(s, n)
	sum := b&0xffff + b>>16&0xffff + b>>32&0xffff + b>>48
	return (float64(sum)/0xffff - 2) * math.Sqrt(3)
}

// wander returns a smooth random line in [-1, 1] at x: random heights at whole x, eased in between.
func (h *House) wander(s stream, x float64) float64 {
	n := math.Floor(x)
	a, b := h.uniform(s, int64(n)), h.uniform(s, int64(n)+1)
	return 2*(a+(b-a)*ease(x-n)) - 1
}

// ease rises smoothly from 0 at x ≤ 0 to 1 at x ≥ 1.
func ease(x float64) float64 {
	x = clamp(x, 0, 1)
	return x * x * (3 - 2*x)
}

func clamp(x, low, high float64) float64 { return min(max(x, low), high) }
