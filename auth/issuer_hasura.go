package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// hasuraNamespace is the claim in which Hasura looks for its own.
const hasuraNamespace = "https://hasura.io/jwt/claims"

// namespace is where the claims x-hasura-… of a token are.
type namespace struct {
	path     []string
	required bool // because the configuration names the place
	inText   bool // JSON within a string
}

// hasuraClaims are those that are understood; both empty if there are none.
type hasuraClaims struct{ user, role string }

func newNamespace(c IssuerConfig) (n namespace, err error) {
	n = namespace{path: []string{hasuraNamespace}, inText: c.NamespaceFormat == "stringified_json"}
	switch {
	case c.Namespace != "":
		n.path, n.required = []string{c.Namespace}, true
	case c.NamespacePath != "":
		n.required = true
		if !strings.HasPrefix(c.NamespacePath, "$") {
			return n, errors.New("claims_namespace_path: write $ or $.a.b")
		}
		if n.path, err = parsePath(c.NamespacePath); err != nil {
			return n, fmt.Errorf("claims_namespace_path: %w", err)
		}
	}
	if n.inText && len(n.path) == 0 {
		return n, errors.New("claims_format: the claims as a whole are no text")
	}
	return n, nil
}

// parsePath reads $, $.a.b, or the name of one claim. Names within a path have letters, digits, _ and -.
func parsePath(s string) ([]string, error) {
	if !strings.HasPrefix(s, "$") {
		return []string{s}, nil
	}
	names := strings.Split(s, ".")
	for _, name := range names[1:] {
		if name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return nil, errors.New("write a path as $.a.b, of letters, digits, _ and -")
		}
	}
	if names[0] != "$" {
		return nil, errors.New("write a path as $.a.b")
	}
	return names[1:], nil
}

// at returns the value at a path of one name or more, as it is written; "" where there is none. An error means a name that
// occurs twice on the way.
func (m object) at(path []string) (string, error) {
	for _, name := range path[:len(path)-1] {
		if m[name] == "" || m[name][0] != '{' {
			return "", nil
		}
		var err error
		if m, err = readObject([]byte(m[name])); err != nil {
			return "", err
		}
	}
	return m[path[len(path)-1]], nil
}

// read returns what the claims say in the namespace.
func (n namespace) read(claims object) (h hasuraClaims, err error) {
	m, err := n.find(claims)
	if err != nil || m == nil {
		return h, err
	}
	folded := make(object, len(m)) // Hasura takes its names in any case
	for name, value := range m {
		name = strings.ToLower(name)
		if folded.has(name) {
			return h, errors.New("hasura: a name that occurs twice")
		}
		folded[name] = value
	}
	var ok bool
	if h.user, ok = folded.text("x-hasura-user-id"); folded.has("x-hasura-user-id") && (!ok || h.user == "") {
		return h, errors.New("hasura: x-hasura-user-id is not a text")
	}
	const role, roles = "x-hasura-default-role", "x-hasura-allowed-roles"
	if !folded.has(role) && !folded.has(roles) {
		return h, nil
	}
	allowed, ok := folded.texts(roles)
	if h.role, _ = folded.text(role); !ok || h.role == "" || !slices.Contains(allowed, h.role) {
		return h, errors.New("hasura: x-hasura-default-role is not one of x-hasura-allowed-roles")
	}
	return h, nil
}

// find returns the object at the namespace's place, nil if there may be none.
func (n namespace) find(claims object) (object, error) {
	if len(n.path) == 0 {
		return claims, nil
	}
	value, err := claims.at(n.path)
	switch {
	case err != nil:
		return nil, err
	case value == "" && !n.required:
		return nil, nil
	case value == "":
		return nil, errors.New("hasura: the namespace is missing")
	}
	if n.inText {
		text, ok := unquote(value)
		if !ok {
			return nil, errors.New("hasura: the namespace is not JSON in a text")
		}
		value = text
	}
	m, err := readObject([]byte(value))
	if err != nil {
		return nil, fmt.Errorf("hasura: %w", err)
	}
	return m, nil
}
