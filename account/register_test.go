package account_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/readout-dev/readout/account"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
)

const (
	verifySubject = "Is this your e-mail address?"
	takenSubject  = "You have an account already"
	resetSubject  = "Set a new password"
	emailSubject  = "Is this your new e-mail address?"
	movingSubject = "Your e-mail address is about to change"
	inUseSubject  = "This e-mail address has an account already"
)

func TestRegisteredPersonFollowsTheLinkAndLogsIn(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.post("/auth/register", object{"email": "Ada@Example.org", "password": goodPassword, "name": "Ada", "zone": "Europe/Berlin"},
		func(r *http.Request) { r.Host = "evil.example" }, header("X-Forwarded-Host", "evil.example")).expect(t, "register", 202, "")
	d.post("/auth/login", credentials("ada@example.org", newPassword)).expect(t, "a wrong password", 401, "unauthenticated")
	d.post("/auth/login", credentials("ada@example.org", goodPassword)).expect(t, "not verified", 403, "forbidden")

	kind, token := d.letter("ada@example.org", verifySubject)
	if kind != "verify" {
		t.Errorf("the link is of kind %s", kind)
	}
	d.post("/auth/verify", object{"token": token}).expect(t, "without the password", 422, "missing_field")
	d.post("/auth/verify", object{"token": token, "password": newPassword}).expect(t, "another password", 401, "unauthenticated")
	d.post("/auth/verify", object{"token": token, "password": goodPassword}).expect(t, "verify", 204, "")
	d.post("/auth/verify", object{"token": token, "password": goodPassword}).expect(t, "verify again", 400, "bad_request")

	in := d.login("ADA@example.org", goodPassword)
	p, err := d.authenticator.Authenticate(t.Context(), in.AccessToken)
	if err != nil || p.Kind != auth.User || p.User == 0 || p.Session == 0 || time.Until(p.Expires) > 15*time.Minute {
		t.Errorf("got %+v, %v", p, err)
	}
	me := d.do(http.MethodGet, "/auth/me", nil, bearer(in.AccessToken)).expect(t, "me", 200, "")
	if me.Email != "ada@example.org" || me.Name != "Ada" || me.Zone != "Europe/Berlin" || !me.Verified || string(me.Settings) != "{}" {
		t.Errorf("got %s", me.text)
	}
}

func TestRegistrationOfATakenAddressLooksTheSame(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.person("ada@example.org")
	taken := d.post("/auth/register", credentials("ada@example.org", newPassword)).expect(t, "taken", 202, "")
	free := d.post("/auth/register", credentials("eve@example.org", newPassword)).expect(t, "free", 202, "")
	if taken.text != free.text {
		t.Errorf("the answers are %q and %q", taken.text, free.text)
	}
	d.login("ada@example.org", goodPassword) // the password is as it was
	kind, token := d.letter("ada@example.org", takenSubject)
	if kind != "reset" {
		t.Errorf("the link is of kind %s", kind)
	}
	d.post("/auth/password/reset", object{"token": token, "password": newPassword}).expect(t, "reset", 204, "")
	d.login("ada@example.org", newPassword)
}

func TestParallelRegistrationMakesOneAccount(t *testing.T) {
	t.Parallel()
	d := setup(t)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			who := account.Applicant{Email: "ada@example.org", Password: goodPassword}
			if err := d.accounts.Register(t.Context(), who); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := d.client.User.Query().CountX(d.system()); n != 1 {
		t.Errorf("there are %d accounts", n)
	}
	if n := len(d.box.Messages()); n != 3 {
		t.Errorf("%d letters were sent, want no more than 3 an hour", n)
	}
	if n := d.jobs.Load(); n != 50 {
		t.Errorf("there were %d jobs: who asks can tell the time of one from that of none", n)
	}
}

func TestUnverifiedAccountIsDeletedAfterAWeek(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.post("/auth/register", credentials("eve@example.org", goodPassword)).expect(t, "register", 202, "")
	in := d.person("ada@example.org")
	tidy := func() {
		t.Helper()
		now := time.Now().Add(time.Duration(d.ahead.Load()))
		if err := (&account.Tidier{Client: d.client, Now: func() time.Time { return now }}).Work(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	d.pass(6 * 24 * time.Hour)
	tidy()
	if n := d.client.User.Query().CountX(d.system()); n != 2 {
		t.Fatalf("%d accounts are left after 6 days", n)
	}
	if n := d.client.Challenge.Query().CountX(d.system()); n != 0 {
		t.Errorf("%d challenges are left after 6 days", n)
	}
	d.pass(25 * time.Hour)
	tidy()
	left := d.client.User.Query().Select(user.FieldEmail).StringsX(d.system())
	if len(left) != 1 || left[0] != "ada@example.org" || !d.admitted(in.AccessToken) {
		t.Errorf("%v are left after 7 days", left)
	}
	d.pass(8 * 24 * time.Hour)
	tidy()
	if d.admitted(in.AccessToken) {
		t.Error("a session that nobody used for 14 days is left")
	}
}

func TestWithoutVerificationAccountsAreGoodAtOnce(t *testing.T) {
	t.Parallel()
	d := setup(t, func(c *account.Config) { c.Letters = nil })
	if a := d.post("/auth/register", credentials("Ada@Example.org", goodPassword)).expect(t, "register", 201, ""); a.Email != "ada@example.org" {
		t.Errorf("got %s", a.text)
	}
	d.post("/auth/register", credentials("ada@example.org", goodPassword)).expect(t, "taken", 409, "conflict")
	in := d.login("ada@example.org", goodPassword)
	d.post("/auth/password/forgot", object{"email": "ada@example.org"}).expect(t, "forgot", 403, "forbidden")
	d.post("/auth/verify/resend", object{"email": "ada@example.org"}).expect(t, "resend", 403, "forbidden")
	d.post("/auth/password/reset", object{"token": "x", "password": newPassword}).expect(t, "reset", 403, "forbidden")
	d.post("/auth/email", object{"password": goodPassword, "email": "ada@example.net"}, bearer(in.AccessToken)).expect(t, "e-mail", 204, "")
	d.login("ada@example.net", goodPassword)
}

func TestAccountsRefuseWhatTheyShould(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.person("ada@example.org")
	long := credentials("a@example.org", strings.Repeat("x", 5000))
	for name, c := range map[string]struct {
		path   string
		body   any
		status int
		code   string
	}{
		"short password":     {"/auth/register", credentials("b@example.org", "short"), 422, "invalid"},
		"common password":    {"/auth/register", credentials("b@example.org", "passwordpassword"), 422, "invalid"},
		"address as one":     {"/auth/register", credentials("bernadette@example.org", "bernadette@example.org"), 422, "invalid"},
		"long password":      {"/auth/register", credentials("b@example.org", strings.Repeat("xy", 129)), 413, "too_large"},
		"no address":         {"/auth/register", credentials("nonsense", goodPassword), 422, "invalid"},
		"named address":      {"/auth/register", credentials("B <b@example.org>", goodPassword), 422, "invalid"},
		"address with NUL":   {"/auth/register", credentials("b\x00@example.org", goodPassword), 422, "invalid"},
		"header in address":  {"/auth/register", credentials("b@example.org\r\nBcc: c@example.org", goodPassword), 422, "invalid"},
		"no zone":            {"/auth/register", object{"email": "b@example.org", "password": goodPassword, "zone": "Mars/Olympus"}, 422, "invalid"},
		"control in name":    {"/auth/register", object{"email": "b@example.org", "password": goodPassword, "name": "a\nb"}, 422, "invalid"},
		"unknown field":      {"/auth/register", `{"email": "b@example.org", "password": "` + goodPassword + `", "role": "admin"}`, 400, "unknown_field"},
		"other case":         {"/auth/login", `{"EMAIL": "a", "password": "b"}`, 400, "unknown_field"},
		"twice":              {"/auth/login", `{"email": "a", "password": "b", "password": "c"}`, 400, "duplicate_field"},
		"no text":            {"/auth/login", `{"email": "a", "password": 1}`, 422, "value_type"},
		"null":               {"/auth/login", `{"email": "a", "password": null}`, 422, "value_type"},
		"nested":             {"/auth/login", `{"email": "a", "password": {"a": 1}}`, 422, "value_type"},
		"missing":            {"/auth/login", `{"email": "a"}`, 422, "missing_field"},
		"half a character":   {"/auth/login", `{"email": "a", "password": "\ud800"}`, 422, "text_invalid"},
		"an array":           {"/auth/login", `["email"]`, 422, "value_type"},
		"empty body":         {"/auth/login", "", 400, "empty_body"},
		"two objects":        {"/auth/login", `{"email": "a", "password": "b"}{}`, 400, "malformed_json"},
		"not JSON":           {"/auth/login", "email=a", 400, "malformed_json"},
		"not UTF-8":          {"/auth/login", "{\"email\": \"a\", \"password\": \"\xff\"}", 422, "text_invalid"},
		"long body":          {"/auth/login", long, 413, "too_large"},
		"cookies as text":    {"/auth/login", `{"email": "a", "password": "b", "cookies": "yes"}`, 422, "value_type"},
		"wrong password":     {"/auth/login", credentials("ada@example.org", goodPassword+"x"), 401, "unauthenticated"},
		"no address at all":  {"/auth/login", credentials("a\x00@example.org", goodPassword), 401, "unauthenticated"},
		"unknown account":    {"/auth/login", credentials("eve@example.org", goodPassword), 401, "unauthenticated"},
		"token unknown":      {"/auth/verify", object{"token": strings.Repeat("A", 26)}, 400, "bad_request"},
		"token cut":          {"/auth/verify", object{"token": "A"}, 400, "bad_request"},
		"token with NUL":     {"/auth/verify", object{"token": "\x00"}, 400, "bad_request"},
		"token with percent": {"/auth/password/reset", object{"token": "%00", "password": newPassword}, 400, "bad_request"},
		"no refresh token":   {"/auth/refresh", `{}`, 422, "missing_field"},
		"refresh nonsense":   {"/auth/refresh", object{"refreshToken": "rd_ref_nonsense"}, 401, "unauthenticated"},
		"nobody":             {"/auth/logout", "", 401, "unauthenticated"},
		"nobody everywhere":  {"/auth/logout/everywhere", "", 401, "unauthenticated"},
		"nobody's password":  {"/auth/password", object{"old": goodPassword, "new": newPassword}, 401, "unauthenticated"},
		"nobody's address":   {"/auth/email", object{"password": goodPassword, "email": "a@example.org"}, 401, "unauthenticated"},
	} {
		d.pass(time.Minute) // attempts are limited
		d.post(c.path, c.body).expect(t, name, c.status, c.code)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	d := setup(t)
	var last answer
	for range 12 {
		last = d.post("/auth/login", credentials("ada@example.org", "wrong"))
	}
	if last.expect(t, "the twelfth guess", 429, "too_many"); last.header.Get("Retry-After") == "" {
		t.Error("it is not said how long to wait")
	}
	d.pass(20 * time.Second)
	d.post("/auth/login", credentials("ada@example.org", "wrong")).expect(t, "later", 401, "unauthenticated")
}

func TestStrangerKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	d := setup(t)
	in := d.person("ada@example.org") // from here
	try := func(password, address string) error {
		_, err := d.accounts.Login(t.Context(), "ada@example.org", password, account.Client{Address: address})
		return err
	}
	for i := range 20 {
		if err := try("wrong", fmt.Sprintf("10.0.0.%d", i)); (i < 9) != fault.Is(err, fault.Unauthenticated) {
			t.Errorf("guess %d: %v", i, err)
		}
	}
	if err := try(goodPassword, "10.0.1.1"); !fault.Is(err, fault.TooMany) {
		t.Errorf("the right password from an address that is not known: %v", err)
	}
	d.login("ada@example.org", goodPassword)
	d.post("/auth/password", object{"old": goodPassword, "new": newPassword}, bearer(in.AccessToken)).expect(t, "who is logged in", 204, "")
	d.pass(10 * time.Second)
	if err := try(newPassword, "10.0.1.1"); err != nil {
		t.Errorf("later: %v", err)
	}
}

func TestLettersToAnAddressAreFew(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for i := range 4 {
		want := 202
		if i == 3 {
			want = 429
		}
		for _, email := range []string{"ada@example.org", "nobody@example.org"} {
			if got := d.post("/auth/password/forgot", object{"email": email}); got.Status != want {
				t.Errorf("request %d for %s: got %d %s, want %d", i+1, email, got.Status, got.text, want)
			}
		}
	}
}
