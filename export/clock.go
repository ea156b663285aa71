package export

import "time"

const (
	second = 1_000_000 // in microseconds
	day    = 24 * 60 * 60 * second
)

// clock writes times as RFC 3339 in UTC with as many digits as they need, at most six. Neighbours are of the same day
// mostly, so it remembers the day's text. The zero clock is ready.
type clock struct {
	start int64 // of the day
	date  []byte
}

// append appends the time, in microseconds since 1970, to b.
func (c *clock) append(b []byte, t int64) []byte {
	in := t - c.start
	if in < 0 || in >= day || c.date == nil {
		at := time.UnixMicro(t).UTC()
		c.date = at.AppendFormat(c.date[:0], "2006-01-02T")
		c.start = at.Truncate(24 * time.Hour).UnixMicro()
		in = t - c.start
	}
	seconds := int(in / second)
	b = append(b, c.date...)
	b = append(two(b, seconds/3600), ':')
	b = append(two(b, seconds/60%60), ':')
	b = two(b, seconds%60)
	if fraction := int(in % second); fraction > 0 {
		b = append(b, '.')
		for unit := second / 10; fraction > 0; unit /= 10 {
			b = append(b, byte('0'+fraction/unit))
			fraction %= unit
		}
	}
	return append(b, 'Z')
}

func two(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }
