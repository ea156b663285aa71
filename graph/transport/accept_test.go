package transport

import "testing"

func TestAcceptChoosesTheMediaTypeThatTheClientPrefers(t *testing.T) {
	t.Parallel()
	f := func(want string, accept ...string) {
		t.Helper()
		got, ok := negotiate(accept)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%q: want %q, got %q", accept, want, got)
		}
	}
	f(mediaJSON)
	f(mediaJSON, "")
	f(mediaJSON, "*/*")
	f(mediaJSON, "application/*")
	f(mediaJSON, "application/json")
	f(mediaJSON, "Application/JSON; Charset=UTF-8")
	f(mediaJSON, "text/html, application/json;q=0.1")
	f(mediaJSON, "application/graphql-response+json;q=0.5, application/json")
	f(mediaJSON, "application/graphql-response+json;q=0, */*")
	f(mediaJSON, "text/html", "*/*;q=0.1")
	f(mediaJSON, ";;;, */*")
	f(mediaGraphQL, "application/graphql-response+json")
	f(mediaGraphQL, "application/graphql-response+json, application/json")
	f(mediaGraphQL, "application/json, application/graphql-response+json; charset=utf-8")
	f(mediaGraphQL, "application/graphql-response+json, application/json;q=0.9")
	f(mediaGraphQL, "application/json;q=0, */*")
	f("", "text/html")
	f("", "application/json;q=0")
	f("", "application/json;q=2")
	f("", "application/json;q=x")
	f("", "application/json; charset=latin1")
	f("", "*/*;q=0")
}
