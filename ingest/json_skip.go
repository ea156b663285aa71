package ingest

// maxDepth is how deep a refused item may be nested for its end to be looked for.
const maxDepth = 64

// skipValue returns where the JSON value at b[p] ends, whatever it is, or -1 when it is malformed or nested deeper than
// maxDepth. It checks the grammar, not what the strings and numbers mean.
func skipValue(b []byte, p int) int {
	var objects uint64 // bit 0 says whether the innermost open bracket is an object's, bit 1 the one around it …
	for depth := 0; ; {
		switch p = skipSpace(b, p); {
		case p == len(b):
			return -1
		case b[p] == '{' || b[p] == '[':
			if depth == maxDepth {
				return -1
			}
			open := b[p]
			p = skipSpace(b, p+1)
			if p < len(b) && b[p] == open+2 { // ']' is '[' + 2, '}' is '{' + 2
				p++
				break
			}
			depth++
			objects <<= 1
			if open == '{' {
				objects |= 1
				p = skipName(b, p)
			}
			if p < 0 {
				return -1
			}
			continue
		default:
			if p = skipScalar(b, p); p < 0 {
				return -1
			}
		}
		if p, depth, objects = skipEnds(b, p, depth, objects); p < 0 || depth == 0 {
			return p
		}
	}
}

// skipEnds passes what follows a value: closing brackets, then a comma and, in an object, the next name.
func skipEnds(b []byte, p, depth int, objects uint64) (int, int, uint64) {
	for depth > 0 {
		p = skipSpace(b, p)
		inObject := objects&1 == 1
		switch {
		case p == len(b):
			return -1, depth, objects
		case b[p] == ',':
			if p++; inObject {
				p = skipName(b, skipSpace(b, p))
			}
			return p, depth, objects
		case b[p] == '}' && inObject, b[p] == ']' && !inObject:
			p++
			depth--
			objects >>= 1
		default:
			return -1, depth, objects
		}
	}
	return p, 0, 0
}

// skipName returns where the value begins whose name is at b[p], or -1.
func skipName(b []byte, p int) int {
	if p == len(b) || b[p] != '"' {
		return -1
	}
	if p = skipString(b, p); p < 0 {
		return -1
	}
	if p = skipSpace(b, p); p == len(b) || b[p] != ':' {
		return -1
	}
	return p + 1
}

func skipScalar(b []byte, p int) int {
	switch c := b[p]; {
	case c == '"':
		return skipString(b, p)
	case c == '-' || isDigit(c):
		if _, next, f := number(b, p); f != errMalformed {
			return next
		}
		return -1
	}
	return skipLiteral(b, p)
}

// skipString returns where the string ends whose opening quote is b[p], or -1.
func skipString(b []byte, p int) int {
	for p++; p < len(b) && b[p] >= ' '; p++ {
		switch b[p] {
		case '"':
			return p + 1
		case '\\':
			if p++; p == len(b) {
				return -1
			}
			if b[p] != 'u' {
				if simpleEscape(b[p]) == 0 {
					return -1
				}
				continue
			}
			if _, ok := hex4(b, p+1); !ok {
				return -1
			}
			p += 4
		}
	}
	return -1
}
