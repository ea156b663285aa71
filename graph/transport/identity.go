package transport

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// plan asks how op is to be executed: graph, or its resolver. The error is *refused.
func (s *Subscriptions) plan(ctx context.Context, exec graphql.GraphExecutor, op *graphql.OperationContext) (Plan, error) {
	e := &execution{exec: exec, op: op, faultOf: s.faultOf, log: s.log()}
	if s.Plan != nil {
		plan, ok, err := s.Plan(graphql.WithOperationContext(ctx, op), op)
		if err != nil {
			return Plan{}, &refused{e.failed(ctx, err)}
		}
		if ok {
			return plan, nil
		}
	}
	asked := &desk{planning: true}
	e.responses, e.ctx = exec.DispatchOperation(context.WithValue(ctx, deskKey{}, asked), op)
	switch {
	case asked.plan != nil:
		return *asked.plan, nil
	case asked.stream != nil: // a resolver that plans nothing is executed for each alone
		asked.stream.close()
		return Plan{}, nil
	}
	return Plan{}, e.refusal()
}

// identity names the shared execution of a plan: operations with the same one would be answered the same from any moment on.
func (s *Subscriptions) identity(plan Plan, op *graphql.OperationContext, params *graphql.RawParams) string {
	if plan.Share != "" {
		variables := maps.Clone(op.Variables) // those that it declares
		for _, name := range own(op, plan.Begins) {
			delete(variables, name)
		}
		extensions := maps.Clone(params.Extensions)
		delete(extensions, "operationId") // the client's own name for it
		key, err := json.Marshal([]any{plan.Share, params.Query, params.OperationName, members(variables), members(extensions)})
		if err == nil {
			sum := sha256.Sum256(key)
			return string(sum[:])
		}
	}
	return "alone " + strconv.FormatInt(s.alone.Add(1), 10)
}

// members returns m, in place of nil an empty one: both mean the same.
func members(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// own returns the variables that are used by the arguments of these names at the root of op and nowhere else.
func own(op *graphql.OperationContext, begins []string) (names []string) {
	if len(begins) == 0 {
		return nil
	}
	uses := map[string]int{}
	countVariables(op.Operation.SelectionSet, uses, map[*ast.FragmentDefinition]bool{})
	for _, field := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"}) {
		for _, name := range begins {
			arg := field.Arguments.ForName(name)
			if arg != nil && arg.Value.Kind == ast.Variable && uses[arg.Value.Raw] == 1 {
				names = append(names, arg.Value.Raw)
			}
		}
	}
	return names
}

func countVariables(set ast.SelectionSet, uses map[string]int, seen map[*ast.FragmentDefinition]bool) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			countIn(s.Directives, uses)
			for _, a := range s.Arguments {
				countValue(a.Value, uses)
			}
			countVariables(s.SelectionSet, uses, seen)
		case *ast.InlineFragment:
			countIn(s.Directives, uses)
			countVariables(s.SelectionSet, uses, seen)
		case *ast.FragmentSpread:
			countIn(s.Directives, uses)
			if !seen[s.Definition] {
				seen[s.Definition] = true
				countVariables(s.Definition.SelectionSet, uses, seen)
			}
		}
	}
}

func countIn(directives ast.DirectiveList, uses map[string]int) {
	for _, d := range directives {
		for _, a := range d.Arguments {
			countValue(a.Value, uses)
		}
	}
}

func countValue(v *ast.Value, uses map[string]int) {
	if v.Kind == ast.Variable {
		uses[v.Raw]++
	}
	for _, child := range v.Children {
		countValue(child.Value, uses)
	}
}
