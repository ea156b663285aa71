package reading

// cursor is a place in columns that are being read. What is missing fails it, and reads as nothing.
type cursor struct {
	b      []byte
	noise  []byte // the bytes that lie apart
	failed bool
	room   [8][]byte // for planes
}

func (c *cursor) fail() { c.b, c.noise, c.failed = nil, nil, true }

func (c *cursor) byte() byte {
	if len(c.b) == 0 {
		c.fail()
		return 0
	}
	x := c.b[0]
	c.b = c.b[1:]
	return x
}

func (c *cursor) uvarint() uint64 {
	u, p := uvarint(c.b, 0)
	if p < 0 {
		c.fail()
		return 0
	}
	c.b = c.b[p:]
	return u
}

// planes returns the bytes of n words, the lowest first; they are valid until the next call.
func (c *cursor) planes(shape byte, n int) [][]byte {
	width, noise := int(shape&15), int(shape>>4)
	if width > 8 || noise > width || noise*n > len(c.noise) || (width-noise)*n > len(c.b) {
		c.fail()
		return nil
	}
	planes := c.room[:width]
	for k := range planes {
		if k < noise {
			planes[k], c.noise = c.noise[:n], c.noise[n:]
		} else {
			planes[k], c.b = c.b[:n], c.b[n:]
		}
	}
	return planes
}

// done reports whether all was read.
func (c *cursor) done() bool { return !c.failed && len(c.b) == 0 && len(c.noise) == 0 }
