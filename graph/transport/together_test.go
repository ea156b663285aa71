package transport

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

// scripted are answers of which there is at most one, again and again; else they are over.
type scripted struct{ next *Answer }

func (s *scripted) First(ctx context.Context, _ bool) (*Answer, error) { return s.Next(ctx) }

func (s *scripted) Next(context.Context) (*Answer, error) {
	if s.next == nil {
		return nil, io.EOF
	}
	return s.next, nil
}

func (s *scripted) Place() int64 { return 0 }
func (s *scripted) Until(int64)  {}
func (s *scripted) Close()       {}

func TestWhoComesAfterTheFailureIsNotToldThatAllIsComplete(t *testing.T) {
	t.Parallel()
	answers := &scripted{}
	shared := &together{Answers: answers}
	failed := &Answer{Failed: true}
	answers.next = failed
	if a, err := shared.Next(t.Context()); a != failed || err != nil {
		t.Errorf("those who are there get %v %v", a, err)
	}
	answers.next = nil
	for _, call := range []func() (*Answer, error){
		func() (*Answer, error) { return shared.First(t.Context(), false) },
		func() (*Answer, error) { return shared.Next(t.Context()) },
	} {
		var r *refused
		if _, err := call(); !errors.As(err, &r) || r.answer != failed {
			t.Errorf("got %v", err)
		}
	}
}

func TestEachExecutionHasVariablesOfItsOwn(t *testing.T) {
	t.Parallel()
	inner := map[string]any{"a": 1}
	sub := &subscriber{params: &graphql.RawParams{Variables: map[string]any{"list": []any{inner}}}}
	sub.plan.Answers = func(_ context.Context, _ graphql.GraphExecutor, params *graphql.RawParams) (Answers, error) {
		params.Variables["list"].([]any)[0].(map[string]any)["b"] = 2 // as the check of variables does with defaults
		return nil, nil
	}
	_, _ = sub.open(t.Context(), Part{})
	if len(inner) != 1 {
		t.Errorf("what all executions begin with is now %v", inner)
	}
}
