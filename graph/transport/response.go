package transport

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/readout-dev/readout/internal/fault"
)

// envelope returns what stands before and after resp.Data in the JSON of resp. The data itself is JSON already and can be
// large: it is written as it is, never encoded twice. Where execution never began there are errors and no data member.
func envelope(resp *graphql.Response) (head, tail string) {
	head, tail = `{"data":`, "}"
	switch {
	case len(resp.Errors) > 0 && len(resp.Data) > 0:
		head = `{"errors":` + encode(bounded(resp.Errors)) + `,"data":`
	case len(resp.Errors) > 0:
		head = `{"errors":` + encode(bounded(resp.Errors))
	case len(resp.Data) == 0:
		head += "null"
	}
	if len(resp.Extensions) > 0 {
		tail = `,"extensions":` + encode(resp.Extensions) + "}"
	}
	return head, tail
}

// How many errors an answer holds, and how long the message of one is, in bytes: validation has one for each mistake,
// which repeats what was written, and an answer should not be larger than what was asked.
const (
	maxErrors  = 10
	maxMessage = 200
)

// bounded returns the first of errs with their messages cut. It does not change errs.
func bounded(errs gqlerror.List) gqlerror.List {
	some := make(gqlerror.List, 0, min(len(errs), maxErrors))
	for _, err := range errs[:min(len(errs), maxErrors)] {
		if len(err.Message) > maxMessage {
			short := *err
			short.Message = strings.ToValidUTF8(err.Message[:maxMessage], "") + "…"
			err = &short
		}
		some = append(some, err)
	}
	return some
}

// neverBegan reports whether resp tells of a request whose execution never began.
func neverBegan(resp *graphql.Response) bool { return len(resp.Errors) > 0 && len(resp.Data) == 0 }

// encode returns v as JSON. Where an extension cannot be encoded it is left out: the rest of the answer is worth more.
func encode(v any) string {
	if b, err := json.Marshal(v); err == nil {
		return string(b)
	}
	if errs, ok := v.(gqlerror.List); ok {
		return encode(withoutExtensions(errs))
	}
	return "{}"
}

func withoutExtensions(errs gqlerror.List) []gqlerror.Error {
	plain := make([]gqlerror.Error, len(errs))
	for i, err := range errs {
		plain[i] = gqlerror.Error{Message: err.Message, Path: err.Path, Locations: err.Locations}
		if code, ok := err.Extensions["code"].(string); ok {
			plain[i].Extensions = map[string]any{"code": code}
		}
	}
	return plain
}

// refusal returns the response to a request that never became an operation.
func refusal(err error) *graphql.Response {
	return &graphql.Response{Errors: gqlerror.List{asGraphQL(err)}}
}

// asGraphQL returns err as GraphQL shows it: itself if it is one of GraphQL's, else the message and code of the fault it
// is, never its cause. The cause stays reachable by errors.As for the presenter, which logs it.
func asGraphQL(err error) *gqlerror.Error {
	var shown *gqlerror.Error
	if errors.As(err, &shown) {
		return shown
	}
	f := fault.Of(err)
	return &gqlerror.Error{Err: err, Message: f.Message, Extensions: map[string]any{"code": f.Code.Door().GraphQL}}
}
