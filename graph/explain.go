package graph

import (
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/analysis"
)

// explanation says in an answer's extensions how a field of statistics was computed.
type explanation struct {
	Path         ast.Path `json:"path"`
	Resolution   string   `json:"resolution"`
	Sources      []string `json:"sources"`
	Readings     int      `json:"readings"`
	Rollups      int      `json:"rollups"`
	Milliseconds float64  `json:"milliseconds"`

	how analysis.Explain
}

// explanations are those of one response. Safe for concurrent use.
type explanations struct {
	mu  sync.Mutex
	all []explanation
}

type explanationsKey struct{}

// explained adds extensions.statistics to the response of an operation whose request says "extensions": {"explain": true}.
func explained(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if !graphql.HasOperationContext(ctx) || graphql.GetOperationContext(ctx).Extensions["explain"] != true {
		return next(ctx)
	}
	e := &explanations{all: []explanation{}}
	response := next(context.WithValue(ctx, explanationsKey{}, e))
	if response != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		if response.Extensions == nil {
			response.Extensions = map[string]any{}
		}
		response.Extensions["statistics"] = e.all
	}
	return response
}

// explain notes how the current field was computed, if that was asked.
func explain(ctx context.Context, how analysis.Explain) {
	e, ok := ctx.Value(explanationsKey{}).(*explanations)
	if !ok {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	path := graphql.GetPath(ctx)
	i := slices.IndexFunc(e.all, func(x explanation) bool { return x.Path.String() == path.String() })
	if i < 0 {
		i, e.all = len(e.all), append(e.all, explanation{Path: path})
	}
	e.all[i].add(how)
}

// add adds an answer to what a field was computed from.
func (x *explanation) add(how analysis.Explain) {
	x.how = x.how.And(how)
	x.Resolution, x.Readings, x.Rollups = x.how.Resolution, x.how.Readings, x.how.Rollups
	x.Sources = append([]string{}, x.how.Sources...) // never null
	x.Milliseconds = float64(x.how.Took.Microseconds()) / 1000
}
