package graph

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/graph/transport"
)

// sharedTypes are those whose every field is the same to all who may read a project, whoever they are.
var sharedTypes = map[string]bool{
	"ReadingEvent": true, "LiveReading": true, "DeletedReadings": true, "Gap": true,
	"Series": true, "Device": true, "SeriesConnection": true, "SeriesEdge": true, "PageInfo": true,
	"Reading": true, "ReadingConnection": true, "ReadingEdge": true,
	"StatisticGroup": true, "Statistic": true, "Boxplot": true, "HistogramBin": true,
	"DeviceStatus": true,
}

// share plans a subscription to a project, for a principal who may read it. Where all that it selects is the same to everybody
// who may read the project, all of these share one execution; else those share one who are the same person, or come with the
// same key. Each one's own rights are asked before anything is sent to him.
func (r *Resolver) share(ctx context.Context, project int64) transport.Plan {
	p := auth.FromContext(ctx)
	field := graphql.GetFieldContext(ctx).Field
	plan := transport.Plan{Project: project, Field: field.Name}
	plan.Check, plan.Close = r.watchRights(ctx, project)
	if p.Kind != auth.DeviceKey && sharedTypes[field.Definition.Type.Name()] && onlyShared(field.Selections, map[*ast.FragmentDefinition]bool{}) {
		plan.Share = "project " + strconv.FormatInt(project, 10)
		plan.Rights = func(ctx context.Context) context.Context { return auth.NewContext(ctx, auth.Reader(project)) }
		return plan
	}
	plan.Share = nameOf(p) + " in project " + strconv.FormatInt(project, 10) // which one may have left out
	plan.Rights = func(ctx context.Context) context.Context { return auth.NewContext(ctx, endless(p)) }
	return plan
}

// nameOf names who a principal is.
func nameOf(p *auth.Principal) string {
	if p.Kind == auth.User {
		return "user " + strconv.FormatInt(p.User, 10)
	}
	return "key " + strconv.FormatInt(p.Key, 10)
}

// endless returns a principal whose rights do not end with the credential of the one who came first: each subscriber's end with
// his own.
func endless(p *auth.Principal) *auth.Principal {
	all := *p
	all.Expires = time.Time{}
	return &all
}

// onlyShared reports whether a selection stays within what is the same to everybody.
func onlyShared(set ast.SelectionSet, seen map[*ast.FragmentDefinition]bool) bool {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if len(s.SelectionSet) > 0 && !(sharedTypes[s.Definition.Type.Name()] && onlyShared(s.SelectionSet, seen)) || strings.HasPrefix(s.Name, "_") && s.Name != "__typename" {
				return false
			}
		case *ast.InlineFragment:
			if !onlyShared(s.SelectionSet, seen) {
				return false
			}
		case *ast.FragmentSpread:
			if !seen[s.Definition] {
				seen[s.Definition] = true
				if !onlyShared(s.Definition.SelectionSet, seen) {
					return false
				}
			}
		}
	}
	return true
}

// watchRights returns a check whether the principal of ctx may still see a project (0: still has an account), and what ends
// the watch over that. See rights.watch.
func (r *Resolver) watchRights(ctx context.Context, project int64) (check func() error, done func()) {
	c := r.rights.watch(ctx, project)
	return c.check, c.Close
}
