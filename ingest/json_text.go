package ingest

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/readout-dev/readout/internal/fault"
)

// skipSpace returns the place of the first byte from p on that is not JSON's white space.
func skipSpace(b []byte, p int) int {
	for p < len(b) && b[p] <= ' ' && (b[p] == ' ' || b[p] == '\n' || b[p] == '\r' || b[p] == '\t') {
		p++
	}
	return p
}

// text reads the JSON string whose opening quote is b[p] and returns what it means, and where it ends. The result is a
// part of b, or of *buf when it has escapes; either way it is good until the next object. NUL, unpaired surrogates and
// invalid UTF-8 are TextInvalid, control characters that are not escaped Malformed.
func text(b []byte, p int, buf *[]byte) (s []byte, next int, f *fault.Error) {
	p++
	for i := p; i+8 <= len(b); i += 8 {
		if m := unusual(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			if i += bits.TrailingZeros64(m) >> 3; b[i] == '"' {
				return b[p:i], i + 1, nil
			}
			break
		}
	}
	return textSlow(b, p, buf)
}

const (
	ones  = 0x0101_0101_0101_0101
	highs = 0x8080_8080_8080_8080
)

// unusual has the high bit of a byte set where that byte of w is the first to be a quote, a backslash, a control
// character or not ASCII; bits above that one say nothing.
func unusual(w uint64) uint64 {
	quote, slash := w^(ones*'"'), w^(ones*'\\')
	return ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w | w) & highs
}

// textSlow is text from b[p], after the opening quote, for whatever may occur.
func textSlow(b []byte, p int, buf *[]byte) (s []byte, next int, f *fault.Error) {
	start, plain := p, true
	for p < len(b) {
		switch c := b[p]; {
		case c == '"':
			if s = b[start:p]; !plain && !utf8.Valid(s) {
				return nil, 0, errText
			}
			return s, p + 1, nil
		case c == '\\':
			return unescape(b, start, p, buf)
		case c < ' ':
			return nil, 0, errMalformed
		case c >= utf8.RuneSelf:
			plain = false
		}
		p++
	}
	return nil, 0, errMalformed
}

// unescape is text for a string that begins at b[start] and has its first backslash at b[p]; it writes to *buf.
func unescape(b []byte, start, p int, buf *[]byte) (s []byte, next int, f *fault.Error) {
	from := len(*buf)
	out := append(*buf, b[start:p]...)
	for p < len(b) {
		switch c := b[p]; {
		case c == '"':
			*buf = out
			if s = out[from:len(out):len(out)]; !utf8.Valid(s) {
				return nil, 0, errText
			}
			return s, p + 1, nil
		case c == '\\':
			if out, p, f = appendEscape(out, b, p+1); f != nil {
				return nil, 0, f
			}
		case c < ' ':
			return nil, 0, errMalformed
		default:
			out = append(out, c)
			p++
		}
	}
	return nil, 0, errMalformed
}

// appendEscape appends the character that the escape means whose letter is b[p], and returns where it ends.
func appendEscape(out, b []byte, p int) ([]byte, int, *fault.Error) {
	if p == len(b) {
		return out, 0, errMalformed
	}
	if b[p] != 'u' {
		c := simpleEscape(b[p])
		if c == 0 {
			return out, 0, errMalformed
		}
		return append(out, c), p + 1, nil
	}
	r, ok := hex4(b, p+1)
	p += 5
	switch {
	case !ok:
		return out, 0, errMalformed
	case r == 0:
		return out, 0, errText
	case utf16.IsSurrogate(r):
		if p+1 >= len(b) || b[p] != '\\' || b[p+1] != 'u' {
			return out, 0, errText
		}
		low, ok := hex4(b, p+2)
		if !ok {
			return out, 0, errMalformed
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return out, 0, errText
		}
		p += 6
	}
	return utf8.AppendRune(out, r), p, nil
}

// simpleEscape returns what a backslash and c mean, or 0 when that is no escape.
func simpleEscape(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// hex4 reads four hexadecimal digits at b[p].
func hex4(b []byte, p int) (r rune, ok bool) {
	if len(b)-p < 4 {
		return 0, false
	}
	for _, c := range b[p : p+4] {
		switch {
		case isDigit(c):
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
