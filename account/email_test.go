package account_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestNewAddressCountsWhenItsLinkIsFollowed(t *testing.T) {
	t.Parallel()
	d := setup(t)
	in := d.person("ada@example.org")
	d.post("/auth/email", object{"password": "wrong", "email": "ada@example.net"}, bearer(in.AccessToken)).
		expect(t, "a wrong password", 401, "unauthenticated")
	d.post("/auth/email", object{"password": goodPassword, "email": "Ada@Example.net"}, bearer(in.AccessToken)).
		expect(t, "change", 202, "")
	d.letter("ada@example.org", movingSubject)
	if told := d.box.Messages()[1]; told.To != "ada@example.org" || !strings.Contains(told.Text, "ada@example.net") {
		t.Errorf("the old address was told %+v", told)
	}
	kind, token := d.letter("ada@example.net", emailSubject)
	if kind != "email" {
		t.Errorf("the link is of kind %s", kind)
	}
	d.login("ada@example.org", goodPassword)
	d.post("/auth/password/forgot", object{"email": "ada@example.org"}).expect(t, "forgot", 202, "")
	_, reset := d.letter("ada@example.org", resetSubject)

	d.post("/auth/verify", object{"token": token}).expect(t, "verify", 204, "")
	d.login("ada@example.net", goodPassword)
	d.post("/auth/login", credentials("ada@example.org", goodPassword)).expect(t, "the old address", 401, "unauthenticated")
	d.post("/auth/password/reset", object{"token": reset, "password": newPassword}).
		expect(t, "a link in the old mailbox", 400, "bad_request")
	if me := d.do(http.MethodGet, "/auth/me", nil, bearer(in.AccessToken)); me.Email != "ada@example.net" {
		t.Errorf("got %s", me.text)
	}
}

func TestAddressIsGoodForOneAccount(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.person("eve@example.org")
	in := d.person("ada@example.org")
	change := func(email string) answer {
		return d.post("/auth/email", object{"password": goodPassword, "email": email}, bearer(in.AccessToken))
	}
	taken := change("eve@example.org").expect(t, "a taken address", 202, "")
	if kind, _ := d.letter("eve@example.org", inUseSubject); kind != "" {
		t.Errorf("the letter has a link of kind %s", kind)
	}
	free := change("ada@example.net").expect(t, "a free address", 202, "")
	if taken.text != free.text {
		t.Errorf("the answers are %q and %q", taken.text, free.text)
	}
	_, token := d.letter("ada@example.net", emailSubject)
	d.person("ada@example.net") // who is quicker
	d.post("/auth/verify", object{"token": token}).expect(t, "taken meanwhile", 409, "conflict")
	d.login("ada@example.org", goodPassword)
}

func TestOnlyTheLastNewAddressCounts(t *testing.T) {
	t.Parallel()
	d := setup(t)
	in := d.person("ada@example.org")
	for _, email := range []string{"one@example.org", "two@example.org"} {
		d.post("/auth/email", object{"password": goodPassword, "email": email}, bearer(in.AccessToken)).expect(t, email, 202, "")
	}
	_, one := d.letter("one@example.org", emailSubject)
	_, two := d.letter("two@example.org", emailSubject)
	d.post("/auth/verify", object{"token": one}).expect(t, "the first", 400, "bad_request")
	d.pass(23 * time.Hour)
	d.post("/auth/verify", object{"token": two}).expect(t, "the last", 204, "")
}
