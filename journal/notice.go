package journal

import (
	"strconv"
	"strings"

	"github.com/readout-dev/readout/store"
)

// notice is what replicas tell each other: a kind, who says it, and the projects it is about.
type notice struct {
	kind     string
	from     string
	projects []int64
}

const (
	saysHello = "hello" // I am new, or was away: say that you are here
	saysHere  = "here"  // I am here; whatever I have committed so far, look for it
	saysWrote = "wrote" // I have committed entries of these projects, or packed some
)

// texts returns the notice as it is sent: as several when it is too long for one.
func (n notice) texts() []string {
	head := n.kind + " " + n.from
	var texts []string
	text := []byte(head)
	for _, p := range n.projects {
		before := len(text)
		text = strconv.AppendInt(append(text, ' '), p, 10)
		if len(text) > store.MaxNotice {
			texts = append(texts, string(text[:before]))
			text = strconv.AppendInt(append(append(text[:0], head...), ' '), p, 10)
		}
	}
	return append(texts, string(text))
}

// parseNotice returns the notice that text is; ok is false for what is none.
func parseNotice(text string) (n notice, ok bool) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return n, false
	}
	n = notice{kind: words[0], from: words[1]}
	for _, w := range words[2:] {
		p, err := strconv.ParseInt(w, 10, 64)
		if err != nil {
			return n, false
		}
		n.projects = append(n.projects, p)
	}
	return n, n.kind == saysHello || n.kind == saysHere || n.kind == saysWrote
}
