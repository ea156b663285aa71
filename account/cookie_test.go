package account_test

import (
	"net/http"
	"testing"
	"time"
)

func TestBrowserIsKnownByItsCookies(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.person("ada@example.org")
	in := d.post("/auth/login", object{"email": "ada@example.org", "password": goodPassword, "cookies": true}).expect(t, "log in", 200, "")
	if in.AccessToken != "" || in.RefreshToken != "" || in.ExpiresAt.IsZero() {
		t.Errorf("the body has tokens: %s", in.text)
	}
	if len(in.cookies) != 2 {
		t.Fatalf("got %v", in.cookies)
	}
	for _, c := range in.cookies {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || time.Until(c.Expires) <= 0 ||
			c.Name[:7] != "__Host-" {
			t.Errorf("got %v", c)
		}
	}
	me := func(fills ...fill) answer {
		return d.do(http.MethodGet, "/auth/me", nil, append(fills, cookies(in.cookies))...)
	}
	me().expect(t, "by cookie", 200, "")
	me(header("Sec-Fetch-Site", "same-origin")).expect(t, "a page of ours", 200, "")
	me(header("Sec-Fetch-Site", "none")).expect(t, "the address bar", 200, "")
	me(header("Sec-Fetch-Site", "cross-site")).expect(t, "another site's page", 403, "forbidden")
	me(header("Sec-Fetch-Site", "same-site")).expect(t, "a page of a neighbour", 403, "forbidden")
	me(header("Origin", "https://evil.example")).expect(t, "an old browser, another site's page", 403, "forbidden")
	me(bearer("nonsense")).expect(t, "a header beside it", 401, "unauthenticated")

	next := d.post("/auth/refresh", "", cookies(in.cookies)).expect(t, "refresh", 200, "")
	if len(next.cookies) != 2 || next.AccessToken != "" {
		t.Fatalf("got %v, %s", next.cookies, next.text)
	}
	d.post("/auth/refresh", "", cookies(next.cookies), header("Sec-Fetch-Site", "cross-site")).expect(t, "refresh from elsewhere", 403, "forbidden")
	d.post("/auth/logout", "", cookies(next.cookies), header("Sec-Fetch-Site", "cross-site")).expect(t, "log out from elsewhere", 403, "forbidden")
	d.post("/auth/login", object{"email": "ada@example.org", "password": goodPassword, "cookies": true}, header("Sec-Fetch-Site", "cross-site")).
		expect(t, "log in from elsewhere", 403, "forbidden")

	out := d.post("/auth/logout", "", cookies(next.cookies)).expect(t, "log out", 204, "")
	for _, c := range out.cookies {
		if c.Value != "" || c.Expires.After(time.Now()) {
			t.Errorf("the browser keeps %v", c)
		}
	}
	d.authenticator.Forget()
	d.do(http.MethodGet, "/auth/me", nil, cookies(next.cookies)).expect(t, "after the end", 401, "unauthenticated")
}

func TestLinksLeadToAPageThatUsesNothingUp(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for path, kind := range map[string]string{"/auth/link": "text/html; charset=utf-8", "/auth/link.js": "text/javascript; charset=utf-8"} {
		a := d.do(http.MethodGet, path, nil)
		if a.Status != 200 || a.header.Get("Content-Type") != kind || a.header.Get("Content-Security-Policy") == "" || a.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: got %d %v", path, a.Status, a.header)
		}
	}
}
