package transport

import (
	"net/url"

	"github.com/99designs/gqlgen/graphql"

	"github.com/readout-dev/readout/internal/fault"
)

// requestOf reads a GraphQL request from the members of a JSON object. Members of other names are ignored, as GraphQL
// over HTTP demands; null is the same as absent. A query may be missing only where a persisted one is named.
func requestOf(members map[string]any) (*graphql.RawParams, error) {
	params := &graphql.RawParams{}
	if err := member(members, "query", "a string", &params.Query); err != nil {
		return nil, err
	}
	if err := member(members, "operationName", "a string or null", &params.OperationName); err != nil {
		return nil, err
	}
	if err := member(members, "variables", "an object or null", &params.Variables); err != nil {
		return nil, err
	}
	if err := member(members, "extensions", "an object or null", &params.Extensions); err != nil {
		return nil, err
	}
	if params.Query == "" && params.Extensions["persistedQuery"] == nil {
		return nil, fault.New(fault.MissingField, "query is missing")
	}
	return params, nil
}

// member puts the member called name, if there, into target; a fault says that it must be what the message says.
func member[T any](members map[string]any, name, must string, target *T) error {
	v := members[name]
	if v == nil {
		return nil
	}
	t, ok := v.(T)
	if !ok {
		return fault.New(fault.ValueType, "%s must be %s", name, must)
	}
	*target = t
	return nil
}

// deepCopy returns a copy of the members of a JSON object.
func deepCopy(members map[string]any) map[string]any {
	if members == nil {
		return nil
	}
	return copied(members).(map[string]any)
}

func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		members := make(map[string]any, len(v))
		for name, member := range v {
			members[name] = copied(member)
		}
		return members
	case []any:
		elements := make([]any, len(v))
		for i, element := range v {
			elements[i] = copied(element)
		}
		return elements
	}
	return v
}

// requestOfURL reads a GraphQL request from the query part of a URL; an empty parameter is the same as none.
func requestOfURL(rawQuery string) (*graphql.RawParams, error) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, fault.Wrap(err, fault.BadRequest, "the URL's query part is not well formed")
	}
	members := map[string]any{}
	for _, name := range []string{"query", "operationName", "variables", "extensions"} {
		if len(values[name]) > 1 {
			return nil, fault.New(fault.DuplicateField, "%s is given twice", name)
		}
		if values.Get(name) == "" {
			continue
		}
		members[name] = values.Get(name)
		if name == "variables" || name == "extensions" {
			if members[name], err = decodeObject([]byte(values.Get(name))); err != nil {
				return nil, err
			}
		}
	}
	return requestOf(members)
}
