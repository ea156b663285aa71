package graph

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

// maxLiveErrors is how many errors an answer tells of.
const maxLiveErrors = 10

// liveAnswer is what a live query was answered, as the subscription has it: below the field that it was asked by.
type liveAnswer struct {
	data       json.RawMessage // never empty; null when it holds nothing
	errors     gqlerror.List
	encoded    json.RawMessage // the errors, to compare
	extensions map[string]any
}

// newLiveAnswer puts the response to a query below the field called name.
func newLiveAnswer(r *graphql.Response, name ast.PathName) *liveAnswer {
	a := &liveAnswer{data: json.RawMessage("null"), extensions: r.Extensions}
	if len(r.Data) > 0 && !bytes.Equal(r.Data, a.data) { // null: of the field, which cannot be null
		a.data = append(append(append([]byte(`{"`), name+`":`...), r.Data...), '}')
	}
	for _, err := range r.Errors {
		below := *err
		if below.Path != nil {
			below.Path = under(name, below.Path)
		}
		a.errors = append(a.errors, &below)
	}
	slices.SortStableFunc(a.errors, func(x, y *gqlerror.Error) int { // fields are resolved, and fail, in any order
		return strings.Compare(x.Path.String(), y.Path.String())
	})
	a.errors = a.errors[:min(len(a.errors), maxLiveErrors)]
	a.encoded = encodeJSON(a.errors)
	if explained, ok := a.extensions["statistics"].([]explanation); ok {
		for i := range explained {
			explained[i].Path = under(name, explained[i].Path)
		}
	}
	return a
}

func under(name ast.PathName, path ast.Path) ast.Path { return append(ast.Path{name}, path...) }

// equal reports whether a client would see no difference.
func (a *liveAnswer) equal(b *liveAnswer) bool {
	return bytes.Equal(a.data, b.data) && bytes.Equal(a.encoded, b.encoded)
}

// has reports whether there is an error of this kind.
func (a *liveAnswer) has(code fault.Code) bool {
	for _, err := range a.errors {
		if err.Extensions["code"] == code.Door().GraphQL {
			return true
		}
	}
	return false
}

// passes reports whether the answer would be another one a little later, though nothing were changed.
func (a *liveAnswer) passes() bool { return a.has(fault.TooMany) || a.has(fault.Unavailable) }

// timed adds when it all happened, where a request asks for it.
func (a *liveAnswer) timed(query *graphql.OperationContext, committed, began time.Time) {
	if query.Extensions["timing"] != true {
		return
	}
	if a.extensions == nil {
		a.extensions = map[string]any{}
	}
	a.extensions["timing"] = timing{committed, began, time.Now()}
}

// timing is what extensions.timing says.
type timing struct {
	CommittedAt time.Time `json:"committedAt,omitzero"`
	PublishedAt time.Time `json:"publishedAt"`
	SentAt      time.Time `json:"sentAt"`
}

// result is a result of an execution, or what makes it of the one before.
type result struct {
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Patch      json.RawMessage `json:"patch,omitempty"`
	Revision   int             `json:"revision,omitempty"`
	Extensions map[string]any  `json:"extensions,omitempty"`
}

// whole is the answer as it is; revision 0: it has none.
func (a *liveAnswer) whole(revision int) result {
	return result{Errors: a.errors, Data: a.data, Revision: revision, Extensions: a.extensions}
}

// changes is what makes the answer of the one before.
func (a *liveAnswer) changes(p json.RawMessage, revision int) result {
	return result{Errors: a.errors, Patch: p, Revision: revision, Extensions: a.extensions}
}

func (a *liveAnswer) payload(r result) *transport.Answer {
	return &transport.Answer{Body: encodeJSON(r), Published: time.Now()}
}

// encodeJSON writes v, which can be written, as it stands.
func encodeJSON(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
