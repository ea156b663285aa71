package journal

import (
	"strconv"
	"strings"

	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/store"
)

// notice is what replicas tell each other: a kind, who says it, and the projects or the changes it is about.
type notice struct {
	kind     string
	from     string
	projects []int64
	changes  []entity.Change
}

const (
	saysHello   = "hello"   // I am new, or was away: say that you are here
	saysHere    = "here"    // I am here; whatever entries I have committed so far, look for them
	saysWrote   = "wrote"   // I have committed entries of these projects, or packed some
	saysChanged = "changed" // I have committed these changes of entities; also said by those who do not listen
)

// texts returns the notice as it is sent: as several when it is too long for one.
func (n notice) texts() []string {
	head := n.kind + " " + n.from
	var texts []string
	text := []byte(head)
	for word := range n.words {
		if len(text)+1+len(word) > store.MaxNotice {
			texts = append(texts, string(text))
			text = append(text[:0], head...)
		}
		text = append(append(text, ' '), word...)
	}
	return append(texts, string(text))
}

// words yields what the notice is about, each as one word.
func (n notice) words(yield func(word []byte) bool) {
	var word []byte
	for _, p := range n.projects {
		if word = strconv.AppendInt(word[:0], p, 10); !yield(word) {
			return
		}
	}
	for _, c := range n.changes {
		if word, _ = c.AppendText(word[:0]); !yield(word) {
			return
		}
	}
}

// parseNotice returns the notice that text is; ok is false for what is none, or one of another version.
func parseNotice(text string) (n notice, ok bool) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return n, false
	}
	n = notice{kind: words[0], from: words[1]}
	switch n.kind {
	case saysChanged:
		n.changes = make([]entity.Change, len(words)-2)
		for i, w := range words[2:] {
			if n.changes[i].UnmarshalText([]byte(w)) != nil {
				return n, false
			}
		}
	case saysHello, saysHere, saysWrote:
		n.projects = make([]int64, len(words)-2)
		for i, w := range words[2:] {
			var err error
			if n.projects[i], err = strconv.ParseInt(w, 10, 64); err != nil {
				return n, false
			}
		}
	default:
		return n, false
	}
	return n, true
}
