package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/reading"
)

// answer is what GraphQL says.
type answer struct {
	Data   any
	Errors []struct {
		Message    string
		Extensions struct{ Code string }
	}
	text string
}

// codes are how the matrix writes the codes of errors: as the statuses that REST has for them.
var codes = map[string]string{
	"UNAUTHENTICATED": "401", "FORBIDDEN": "403", "NOT_FOUND": "404", "CONFLICT": "409", "BAD_USER_INPUT": "422", "BAD_REQUEST": "400",
}

// ask sends a document, a subscription as a stream, of which the first event is returned that enough is true of.
func (p *place) ask(document string, v visitor, enough ...func(answer) bool) answer {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	body, err := p.open(ctx, document, v)
	if err != nil {
		p.t.Fatalf("%s: %v", document, err)
	}
	defer body.Close()
	if !strings.HasPrefix(document, "subscription") {
		return p.read(document, body)
	}
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, event := strings.CutPrefix(lines.Text(), "data: ")
		if !event && !strings.HasPrefix(data, "{") { // what is refused at once is no stream
			continue
		}
		a := p.read(document, strings.NewReader(data))
		if len(a.Errors) > 0 || !slices.ContainsFunc(enough, func(is func(answer) bool) bool { return !is(a) }) {
			return a
		}
	}
	p.t.Fatalf("%s: no event came: %v", document, lines.Err())
	return answer{}
}

// try asks what a way leads to. Of what only a change is told of, it is waited for while changes are made.
func (p *place) try(document string, way []step, v visitor) (outcome, text string) {
	p.t.Helper()
	document = p.fill(document)
	var enough []func(answer) bool
	if strings.Contains(document, "{ changes(") || strings.Contains(document, " deleted {") {
		ctx, cancel := context.WithCancel(p.t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.keepChanging(ctx) }()
		defer func() { cancel(); <-done }()
		enough = append(enough, func(a answer) bool { return something(a.Data, way) })
	}
	a := p.ask(document, v, enough...)
	return a.outcome(way), a.text
}

// open sends a document, and returns the body of the answer.
func (p *place) open(ctx context.Context, document string, v visitor) (io.ReadCloser, error) {
	r := p.request(ctx, http.MethodPost, "/graphql", v)
	body, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(document, "subscription") {
		r.Header.Set("Accept", "text/event-stream")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// read reads one answer, to a document.
func (p *place) read(document string, body io.Reader) (a answer) {
	p.t.Helper()
	text, err := io.ReadAll(body)
	if err != nil {
		p.t.Fatalf("%s: %v", document, err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		p.t.Fatalf("%s: %v in %s", document, err, text)
	}
	a.text = string(text)
	return a
}

// keepChanging changes the device and deletes readings, again and again until ctx ends.
func (p *place) keepChanging(ctx context.Context) {
	system := auth.NewContext(ctx, auth.System())
	for i := 0; ctx.Err() == nil; i++ {
		_ = p.database.client.Device.UpdateOneID(p.ids["device"]).SetDescription(p.name + "-" + strconv.Itoa(i)).Exec(system)
		_, _ = p.journal.Delete(ctx, p.ids["project"], []reading.Deletion{{Series: p.ids["series"], From: 1, To: 2}})
	}
}

// outcome is how the matrix writes an answer: a status, "ok", or "empty" when nothing is at the end of the way.
func (a answer) outcome(way []step) string {
	if len(a.Errors) > 0 {
		code := a.Errors[0].Extensions.Code
		if status := codes[code]; status != "" {
			return status
		}
		return code
	}
	if something(a.Data, way) {
		return "ok"
	}
	return "empty"
}

// something reports whether a way leads to something, through any item of lists.
func something(v any, way []step) bool {
	switch v := v.(type) {
	case nil:
		return false
	case []any:
		for _, item := range v {
			if something(item, way) {
				return true
			}
		}
		return false
	case map[string]any:
		if len(way) > 0 {
			return something(v[way[0].field.Name], way[1:])
		}
		for _, name := range []string{"edges", "projects"} { // a connection, and the query that is live
			if inner, ok := v[name]; ok {
				return something(inner, nil)
			}
		}
	}
	return true
}

var idInText = regexp.MustCompile(`"\w*(?:id|ID)":"?(\d+)`)

// idsIn are the ids in an answer.
func idsIn(text string) (ids []int64) {
	for _, found := range idInText.FindAllStringSubmatch(text, -1) {
		id, _ := strconv.ParseInt(found[1], 10, 64)
		ids = append(ids, id)
	}
	return ids
}

func firstID(text string) int64 {
	if ids := idsIn(text); len(ids) > 0 {
		return ids[0]
	}
	return 0
}
