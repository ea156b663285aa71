package auth_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

func TestKeysAreFoundByTheirHash(t *testing.T) {
	t.Parallel()
	client := store.Client(testdb.New(t))
	t.Cleanup(func() { _ = client.Close() })
	tokens, err := auth.NewTokens(auth.TokenConfig{Secret: []byte("mPz1Xw0cH8sVu4Jq7Rt2Yb5Nk9Ld3Gf6")})
	if err != nil {
		t.Fatal(err)
	}
	authenticator := auth.NewAuthenticator(client, tokens)
	ctx := auth.NewContext(t.Context(), auth.System())
	project := client.Project.Create().SetName("p").SaveX(ctx)
	device := client.Device.Create().SetProject(project).SetName("boiler").SaveX(ctx)
	expired := time.Now().Add(-time.Second)
	for name, c := range map[string]struct {
		spec auth.KeySpec
		want auth.Principal
		ok   bool
	}{
		"project": {auth.KeySpec{Scopes: auth.Ingest}, auth.Principal{Kind: auth.ProjectKey, Scopes: auth.Ingest}, true},
		"device":  {auth.KeySpec{Device: &device.ID, Scopes: auth.Ingest | auth.Read}, auth.Principal{Kind: auth.DeviceKey, Device: device.ID, DeviceName: "boiler", Scopes: auth.Ingest | auth.Read}, true},
		"expired": {auth.KeySpec{Scopes: auth.Ingest, Expires: &expired}, auth.Principal{}, false},
	} {
		c.spec.Project = project.ID
		k, secret, err := auth.CreateKey(ctx, client, c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(k.Hash, []byte(secret)) {
			t.Error("the secret is stored")
		}
		p, err := authenticator.Authenticate(t.Context(), secret)
		if !c.ok {
			if err == nil {
				t.Errorf("%s: got %+v, want a refusal", name, p)
			}
			continue
		}
		c.want.Project, c.want.Key = project.ID, k.ID
		if err != nil || *p != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, p, err, c.want)
		}
	}
	never := auth.GenerateKey(auth.ProjectKey)
	if _, err := authenticator.Authenticate(t.Context(), never.Secret); err == nil {
		t.Error("a key that was never made is taken")
	}
}

func TestCredentialIsOneBearerHeader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers []string
		want    string
		ok      bool
	}{
		"none":         {nil, "", true},
		"bearer":       {[]string{"Bearer x"}, "x", true},
		"lower case":   {[]string{"bearer x"}, "x", true},
		"basic":        {[]string{"Basic x"}, "", false},
		"empty bearer": {[]string{"Bearer "}, "", false},
		"bare":         {[]string{"x"}, "", false},
		"two":          {[]string{"Bearer x", "Bearer y"}, "", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = c.headers
		if got, err := auth.Credential(r); got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
