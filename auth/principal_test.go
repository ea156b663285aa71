package auth

import (
	"context"
	"slices"
	"testing"
	"time"
)

func TestContextCarriesThePrincipal(t *testing.T) {
	t.Parallel()
	p := &Principal{Kind: User, User: 7}
	ctx := NewContext(t.Context(), p)
	if got := FromContext(ctx); got != p {
		t.Errorf("FromContext = %v, want the principal put in", got)
	}
	if got := FromContext(NewContext(ctx, nil)); got != nil {
		t.Errorf("FromContext after NewContext(nil) = %v, want nil", got)
	}
	if got := FromContext(context.Background()); got != nil {
		t.Errorf("FromContext of a bare context = %v, want nil", got)
	}
}

func TestCanNeedsEveryScopeAskedFor(t *testing.T) {
	t.Parallel()
	key := func(s Scopes) *Principal { return &Principal{Kind: ProjectKey, Scopes: s} }
	for _, c := range []struct {
		name  string
		p     *Principal
		scope Scopes
		want  bool
	}{
		{"the anonymous may nothing", nil, Read, false},
		{"the zero principal may nothing", &Principal{Scopes: Read}, Read, false},
		{"a scope that is held", key(Ingest), Ingest, true},
		{"a scope that is not held", key(Ingest), Read, false},
		{"admin does not imply read", key(Admin), Read, false},
		{"one of two", key(Ingest), Ingest | Read, false},
		{"both of two", key(Ingest | Read), Ingest | Read, true},
		{"no scope is never enough", key(Ingest | Read | Admin), 0, false},
		{"the program itself may all", System(), Ingest | Read | Admin, true},
	} {
		if got := c.p.Can(c.scope); got != c.want {
			t.Errorf("%s: Can(%v) = %v, want %v", c.name, c.scope, got, c.want)
		}
	}
}

func TestExpiredAtItsLastInstant(t *testing.T) {
	t.Parallel()
	end := time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		name string
		p    *Principal
		now  time.Time
		want bool
	}{
		{"before", &Principal{Expires: end}, end.Add(-1), false},
		{"at", &Principal{Expires: end}, end, true},
		{"after", &Principal{Expires: end}, end.Add(1), true},
		{"a key without an end", &Principal{}, end, false},
		{"the anonymous", nil, end, false},
	} {
		if got := c.p.Expired(c.now); got != c.want {
			t.Errorf("%s: Expired = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestKindsHaveNames(t *testing.T) {
	t.Parallel()
	for kind, want := range map[Kind]string{
		0: "nobody", User: "user", DeviceKey: "device key", ProjectKey: "project key", Program: "program", 99: "nobody",
	} {
		if got := kind.String(); got != want {
			t.Errorf("Kind(%d) = %q, want %q", kind, got, want)
		}
	}
}

func TestScopesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for s := Scopes(0); s <= Ingest|Read|Admin; s++ {
		got, err := ParseScopes(s.String())
		if err != nil || got != s {
			t.Errorf("ParseScopes(%q) = %v, %v; want %v", s.String(), got, err, s)
		}
	}
}

func TestParseScopes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want string // as written back; "error" for an error
	}{
		{"", ""},
		{"ingest", "ingest"},
		{"admin,read,ingest", "ingest,read,admin"},
		{"read,read", "error"},
		{"read,", "error"},
		{",", "error"},
		{"Read", "error"},
		{" read", "error"},
		{"write", "error"},
	} {
		got, err := ParseScopes(c.text)
		if text := textOr(got, err); text != c.want {
			t.Errorf("ParseScopes(%q) = %q (%v), want %q", c.text, text, err, c.want)
		}
	}
}

func textOr(s interface{ String() string }, err error) string {
	if err != nil {
		return "error"
	}
	return s.String()
}

func TestRolesAreOrdered(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted([]Role{0, Viewer, Editor, Owner}) {
		t.Error("a role comes before one that it includes")
	}
}

func TestParseRole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{"VIEWER", "VIEWER"},
		{"EDITOR", "EDITOR"},
		{"OWNER", "OWNER"},
		{"NONE", "error"},
		{"", "error"},
		{"viewer", "error"},
		{"ADMIN", "error"},
	} {
		got, err := ParseRole(c.name)
		if text := textOr(got, err); text != c.want {
			t.Errorf("ParseRole(%q) = %q (%v), want %q", c.name, text, err, c.want)
		}
	}
}
