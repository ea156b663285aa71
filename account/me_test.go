package account_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
)

func TestPersonChangesWhatIsTheirs(t *testing.T) {
	t.Parallel()
	d := setup(t)
	in := d.person("ada@example.org")
	patch := func(body any) answer { return d.do(http.MethodPatch, "/auth/me", body, bearer(in.AccessToken)) }
	a := patch(`{"name": "Ada", "zone": "Asia/Kathmandu", "settings": {"theme": "dark", "sounds": {"alarm": true}}}`).expect(t, "change", 200, "")
	if a.Name != "Ada" || a.Zone != "Asia/Kathmandu" || !strings.Contains(string(a.Settings), `"alarm"`) {
		t.Errorf("got %s", a.text)
	}
	if a := patch(`{"settings": {}}`).expect(t, "settings alone", 200, ""); a.Name != "Ada" || string(a.Settings) != "{}" {
		t.Errorf("got %s", a.text)
	}
	if a := patch(`{}`).expect(t, "nothing", 200, ""); a.Name != "Ada" || a.Zone != "Asia/Kathmandu" {
		t.Errorf("got %s", a.text)
	}
	large := strings.Repeat("x", 16<<10-8)
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"16 KiB":           {`{"settings": {"a":"` + large + `"}}`, 200, ""},
		"over 16 KiB":      {`{"settings": {"a":"` + large + `x"}}`, 413, "too_large"},
		"over the body":    {`{"settings": {"a":"` + large + large + `"}}`, 413, "too_large"},
		"settings: array":  {`{"settings": []}`, 422, "value_type"},
		"settings: null":   {`{"settings": null}`, 422, "value_type"},
		"settings: NUL":    {`{"settings": {"a": "\u0000"}}`, 422, "invalid"},
		"settings: half":   {`{"settings": {"a": "\ud800"}}`, 422, "invalid"},
		"settings: deep":   {`{"settings": {"a": ` + strings.Repeat("[", 8000) + strings.Repeat("]", 8000) + `}}`, 200, ""},
		"settings: number": {`{"settings": {"a": 1e999999999}}`, 422, "invalid"},
		"name: null":       {`{"name": null}`, 422, "value_type"},
		"long name":        {`{"name": "` + strings.Repeat("x", 129) + `"}`, 422, "invalid"},
		"zone: Local":      {`{"zone": "Local"}`, 422, "invalid"},
		"zone: empty":      {`{"zone": ""}`, 422, "invalid"},
		"another field":    {`{"email": "eve@example.org"}`, 400, "unknown_field"},
	} {
		d.pass(10 * time.Second) // attempts are limited
		a := patch(c.body)
		if len(a.text) > 300 {
			a.text = a.text[:300]
		}
		a.expect(t, name, c.status, c.code)
	}
	d.do(http.MethodPut, "/auth/me", `{}`, bearer(in.AccessToken)).expect(t, "another method", 405, "method_not_allowed")
}

func TestKeysHaveNoAccount(t *testing.T) {
	t.Parallel()
	d := setup(t)
	p := d.client.Project.Create().SetName("p").SaveX(d.system())
	_, secret, err := auth.CreateKey(d.system(), d.client, auth.KeySpec{Project: p.ID, Scopes: auth.Admin | auth.Read})
	if err != nil {
		t.Fatal(err)
	}
	d.do(http.MethodGet, "/auth/me", nil, bearer(secret)).expect(t, "a key", 403, "forbidden")
	in := d.person("ada@example.org")
	d.do(http.MethodGet, "/auth/me", nil, bearer(in.RefreshToken)).expect(t, "a refresh token", 401, "unauthenticated")
	d.post("/auth/refresh", object{"refreshToken": in.AccessToken}).expect(t, "an access token", 401, "unauthenticated")
}
