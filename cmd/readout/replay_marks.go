package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// replayMark is how far a replay came.
type replayMark struct {
	Line     int `json:"line"`     // all lines up to this one are done with
	Readings int `json:"readings"` // so many are stored
}

// replayMarks keeps the mark of one replay (or import) in the user's cache folder, so that an interrupted one goes on. What a
// replay is — the file by its path, size and time of change, the server, the key, the series and how lines are read — is
// in the name, so any other replay begins at the beginning. A mark that is lost or damaged costs time, never a reading.
type replayMarks struct {
	path string // "": none is kept
	file string
}

func newReplayMarks(c *replayCmd, file *replayFile, cache func() (string, error)) (*replayMarks, error) {
	return newMarks("replay", file, []any{
		c.URL, c.Key, c.Device, c.Metric, c.Unit, c.Label, c.TimeColumn, c.ValueColumn, c.Zone, c.Precision,
	}, cache)
}

// newMarks returns the marks of what is done, by this name, with a file under these settings.
func newMarks(what string, file *replayFile, settings []any, cache func() (string, error)) (*replayMarks, error) {
	if file.path == "" {
		return &replayMarks{}, nil
	}
	dir, err := cache()
	if err != nil {
		return &replayMarks{}, err
	}
	dir = filepath.Join(dir, "readout", what)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &replayMarks{}, err
	}
	identity, err := json.Marshal(append([]any{file.path, file.size, file.modified.UnixNano()}, settings...))
	if err != nil {
		return &replayMarks{}, err
	}
	sum := sha256.Sum256(identity)
	return &replayMarks{path: filepath.Join(dir, hex.EncodeToString(sum[:])+".json"), file: file.path}, nil
}

// load returns the mark, or a zero one.
func (m *replayMarks) load() replayMark {
	var mark replayMark
	if m.path == "" {
		return mark
	}
	text, err := os.ReadFile(m.path)
	if err != nil || json.Unmarshal(text, &mark) != nil || mark.Line < 0 || mark.Readings < 0 {
		return replayMark{}
	}
	return mark
}

// save replaces the mark at one stroke.
func (m *replayMarks) save(mark replayMark) error {
	if m.path == "" {
		return nil
	}
	text, err := json.Marshal(struct {
		File string `json:"file"`
		replayMark
	}{m.file, mark})
	if err != nil {
		return err
	}
	temporary := fmt.Sprintf("%s.%d", m.path, os.Getpid())
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return fmt.Errorf("note how far the replay came: %w", err)
	}
	if err := os.Rename(temporary, m.path); err != nil {
		_ = os.Remove(temporary)
		return fmt.Errorf("note how far the replay came: %w", err)
	}
	return nil
}

// remove forgets the mark.
func (m *replayMarks) remove() {
	if m.path != "" {
		_ = os.Remove(m.path)
	}
}
