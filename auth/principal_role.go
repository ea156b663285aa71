package auth

import "fmt"

// Role is what a person is in one project. Roles are ordered, and each includes those below it: ask `role >= Editor`.
// The zero Role is not a member.
type Role uint8

// The roles, lowest first.
const (
	Viewer Role = iota + 1 // sees everything of the project
	Editor                 // and changes devices and series
	Owner                  // and changes the project itself, its members and its keys
)

// String returns the role's name as GraphQL and the database write it: "VIEWER", "EDITOR", "OWNER"; "NONE" for not a
// member.
func (r Role) String() string {
	switch r {
	case Viewer:
		return "VIEWER"
	case Editor:
		return "EDITOR"
	case Owner:
		return "OWNER"
	default:
		return "NONE"
	}
}

// ParseRole reads what String writes, capitals included; "NONE" and anything else is an error.
func ParseRole(name string) (Role, error) {
	for r := Viewer; r <= Owner; r++ {
		if name == r.String() {
			return r, nil
		}
	}
	return 0, fmt.Errorf("role %q is not one of VIEWER, EDITOR, OWNER", name)
}
