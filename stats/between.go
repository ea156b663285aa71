package stats

import "math"

// between returns what lies a share, from 0 to 1, of the way from a to b, and never beyond them. The conversions forbid
// fused multiplication and addition, which would differ between machines.
func between(a, b, share float64) float64 {
	v := a + float64(share*(b-a))
	if math.IsInf(v, 0) || math.IsNaN(v) { // b - a is beyond float64
		v = float64(a*(1-share)) + float64(b*share)
	}
	return min(max(v, min(a, b)), max(a, b))
}
