package auth

import (
	"fmt"
	"strings"
)

// Scopes is a set of the things a credential allows. None implies another: a key that administers cannot read unless it
// says so. The zero value allows nothing.
type Scopes uint8

// The scopes.
const (
	Ingest Scopes = 1 << iota // send readings, events and recordings: the doors of ingest
	Read                      // query and subscribe: GraphQL and the exports
	Admin                     // change the project: mutations on devices, dashboards, rules and keys
)

// scopeNames holds the name of bit i at i: how scopes are written in the database, in configuration and in answers.
var scopeNames = [...]string{"ingest", "read", "admin"}

// Has reports whether s holds all of want; false when want is empty, since a door that asks for nothing is a mistake.
func (s Scopes) Has(want Scopes) bool { return want != 0 && s&want == want }

// String returns the names in fixed order, separated by commas: "ingest,read". The empty set is "".
func (s Scopes) String() string { return strings.Join(s.Names(), ",") }

// Names returns the names in fixed order: ingest, read, admin. A bit that has no name is left out.
func (s Scopes) Names() []string {
	names := make([]string, 0, len(scopeNames))
	for i, name := range scopeNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// ParseScopes reads what String writes, in any order. The empty text is the empty set; an unknown, empty or repeated
// name is an error.
func ParseScopes(text string) (Scopes, error) {
	if text == "" {
		return 0, nil
	}
	var s Scopes
	for name := range strings.SplitSeq(text, ",") {
		bit, err := parseScope(name)
		if err != nil {
			return 0, err
		}
		if s&bit != 0 {
			return 0, fmt.Errorf("scope %q is named twice", name)
		}
		s |= bit
	}
	return s, nil
}

func parseScope(name string) (Scopes, error) {
	for i, known := range scopeNames {
		if name == known {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("scope %q is not one of %s", name, strings.Join(scopeNames[:], ", "))
}
