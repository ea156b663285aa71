package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/readout-dev/readout/internal/fault"
)

// maxRepetition is how often one document may use the same response name.
const maxRepetition = 150

// repetition refuses documents that repeat a field many times before they are validated: validation compares all fields
// of the same name in a selection with each other, and 2,000 of them take half a second. A document that is remembered
// has been looked at already.
type repetition struct{ known documents }

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
} = repetition{}

// ExtensionName implements graphql.HandlerExtension.
func (repetition) ExtensionName() string { return "Repetition" }

// Validate implements graphql.HandlerExtension.
func (repetition) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (r repetition) MutateOperationParameters(ctx context.Context, request *graphql.RawParams) *gqlerror.Error {
	if _, known := r.known.Get(ctx, request.Query); known {
		return nil
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: request.Query}, maxTokens)
	if err != nil {
		return nil //nolint:nilerror // the executor parses again, and answers it
	}
	names := map[string]int{}
	for _, o := range document.Operations {
		if repeats(o.SelectionSet, names) {
			return tooRepetitive
		}
	}
	for _, f := range document.Fragments {
		if repeats(f.SelectionSet, names) {
			return tooRepetitive
		}
	}
	return nil
}

var tooRepetitive = refusal(fault.TooLarge, "the document uses one name more than %d times", maxRepetition)

func repeats(set ast.SelectionSet, names map[string]int) bool {
	for _, selection := range set {
		inner := ast.SelectionSet(nil)
		switch selection := selection.(type) {
		case *ast.Field:
			if names[selection.Alias]++; names[selection.Alias] > maxRepetition {
				return true
			}
			inner = selection.SelectionSet
		case *ast.InlineFragment:
			inner = selection.SelectionSet
		}
		if repeats(inner, names) {
			return true
		}
	}
	return false
}
