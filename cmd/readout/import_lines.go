package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// importLines reads a CSV file (RFC 4180; lines may end in LF) line by line: in the files of readings a record is a line,
// as no name, time or number holds a line's end.
type importLines struct {
	from *bufio.Reader
	line int   // the last one, counted from 1
	end  int64 // bytes up to its end
}

// maxImportLine is the longest line, in bytes.
const maxImportLine = 1 << 20

func newImportLines(r io.Reader) *importLines {
	return &importLines{from: bufio.NewReaderSize(r, maxImportLine)}
}

// next returns the next line without its end, until the next call; io.EOF after the last. A line that is too long is what.
func (l *importLines) next() (line []byte, what string, err error) {
	line, err = l.from.ReadSlice('\n')
	l.line, l.end = l.line+1, l.end+int64(len(line))
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, "is longer than 1 MiB", l.skip()
	case err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)):
		l.line--
		return nil, "", err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), "", nil
}

// skip reads on to the end of a line.
func (l *importLines) skip() error {
	for {
		part, err := l.from.ReadSlice('\n')
		l.end += int64(len(part))
		if err == nil || errors.Is(err, io.EOF) {
			return nil // the next call sees the end of the file again
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// splitFields appends the fields of a line to fields; they lie in line, or in text of their own where quotes were
// doubled. What is wrong is said in what.
func splitFields(fields [][]byte, line []byte) (_ [][]byte, what string) {
	for {
		if len(line) == 0 || line[0] != '"' {
			field, rest, more := bytes.Cut(line, []byte(","))
			if bytes.IndexByte(field, '"') >= 0 {
				return nil, "is not well-formed CSV: a quote in a field without quotes"
			}
			fields = append(fields, field)
			if !more {
				return fields, ""
			}
			line = rest
			continue
		}
		field, rest, ok := quotedField(line)
		switch {
		case !ok:
			return nil, "is not well-formed CSV: a quote that does not end on the line"
		case len(rest) > 0 && rest[0] != ',':
			return nil, "is not well-formed CSV: text behind a closing quote"
		}
		fields = append(fields, field)
		if len(rest) == 0 {
			return fields, ""
		}
		line = rest[1:]
	}
}

// quotedField returns the text of the quoted field at the start of line, and what follows it.
func quotedField(line []byte) (field, rest []byte, ok bool) {
	doubled := false
	for i := 1; ; i++ {
		n := bytes.IndexByte(line[i:], '"')
		if n < 0 {
			return nil, nil, false
		}
		if i += n; i+1 < len(line) && line[i+1] == '"' {
			doubled = true
			i++
			continue
		}
		if field = line[1:i]; doubled {
			field = bytes.ReplaceAll(field, []byte(`""`), []byte(`"`))
		}
		return field, line[i+1:], true
	}
}
