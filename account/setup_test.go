package account_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/readout-dev/readout/account"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/internal/problem"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/mail"
	"github.com/readout-dev/readout/store"
)

const (
	publicURL    = "https://readout.example.net"
	goodPassword = "correct horse 42 staple"
	newPassword  = "another horse 43 staple"
)

// desk is the endpoints on a database of their own, with a clock that tests move and a box in place of the post.
type desk struct {
	t             *testing.T
	url           string
	pool          *pgxpool.Pool
	client        *db.Client
	accounts      *account.Accounts
	postman       *account.Postman
	authenticator *auth.Authenticator
	box           *mail.Box
	ahead         atomic.Int64 // of the real clock
	jobs          atomic.Int64 // that were committed
}

// setup makes a desk; edit changes its configuration.
func setup(t *testing.T, edit ...func(*account.Config)) *desk {
	t.Helper()
	d := &desk{t: t, pool: testdb.New(t), box: &mail.Box{}}
	d.client = store.Client(d.pool)
	t.Cleanup(func() { _ = d.client.Close() })
	tokens, err := auth.NewTokens(auth.TokenConfig{Secret: []byte("mPz1Xw0cH8sVu4Jq7Rt2Yb5Nk9Ld3Gf6")})
	if err != nil {
		t.Fatal(err)
	}
	d.authenticator = auth.NewAuthenticator(d.client, tokens)
	now := func() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }
	d.postman = &account.Postman{Client: d.client, Mail: d.box, PublicURL: publicURL, Now: now}
	cfg := account.Config{
		Client: d.client,
		// Cheap hashes: what is tested here is not their cost.
		Passwords: auth.NewPasswords(auth.PasswordConfig{MemoryKiB: 64, Passes: 1, Waiting: 100}),
		Tokens:    tokens, Authenticator: d.authenticator, Projects: d, Letters: d, Now: now,
	}
	for _, f := range edit {
		f(&cfg)
	}
	if d.accounts, err = account.New(cfg); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, r := range d.accounts.Routes() {
		mux.Handle(r.Path, problem.Methods(problem.Handler(slog.New(slog.DiscardHandler),
			func(w http.ResponseWriter, req *http.Request) error { return store.Fault(r.Serve(w, req)) }), r.Methods...))
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	d.url = srv.URL
	return d
}

// Add implements account.Letters: the letter is written when the transaction has committed, before its answer.
func (d *desk) Add(_ context.Context, tx *db.Tx, args river.JobArgs) error {
	tx.OnCommit(func(next db.Committer) db.Committer {
		return db.CommitFunc(func(ctx context.Context, tx *db.Tx) error {
			err := next.Commit(ctx, tx)
			if err == nil {
				d.jobs.Add(1)
				err = d.write(args.(account.Letter))
			}
			return err
		})
	})
	return nil
}

func (d *desk) write(l account.Letter) error {
	return d.postman.Work(d.t.Context(), &river.Job[account.Letter]{JobRow: &rivertype.JobRow{}, Args: l})
}

// DeleteProject implements account.Projects.
func (d *desk) DeleteProject(ctx context.Context, id int64) error {
	ctx = auth.NewContext(ctx, auth.System())
	d.client.Key.Delete().Where(key.ProjectID(id)).ExecX(ctx)
	if err := store.EmptyProject(ctx, d.pool, id); err != nil {
		return err
	}
	return d.client.Project.DeleteOneID(id).Exec(ctx)
}

func (d *desk) system() context.Context { return auth.NewContext(d.t.Context(), auth.System()) }

// pass lets time pass.
func (d *desk) pass(span time.Duration) { d.ahead.Add(int64(span)) }

// answer is what an endpoint said.
type answer struct {
	Status  int    `json:"-"`
	text    string // the whole body
	header  http.Header
	cookies []*http.Cookie

	Code, Detail                                    string
	ID, Email, Name, Zone                           string
	Verified                                        bool
	Settings                                        json.RawMessage
	AccessToken, TokenType, RefreshToken, SessionID string
	ExpiresAt, RefreshExpiresAt                     time.Time
}

// fill is how a request is dressed.
type fill func(*http.Request)

func bearer(token string) fill {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func header(name, value string) fill { return func(r *http.Request) { r.Header.Set(name, value) } }

func cookies(all []*http.Cookie) fill {
	return func(r *http.Request) {
		for _, c := range all {
			r.AddCookie(c)
		}
	}
}

// do asks an endpoint; body is JSON, or what is made JSON.
func (d *desk) do(method, path string, body any, fills ...fill) (a answer) {
	d.t.Helper()
	text, isText := body.(string)
	if !isText && body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			d.t.Fatal(err)
		}
		text = string(b)
	}
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(text))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, f := range fills {
		f(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Error(err)
		return a
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Error(err)
	}
	if len(b) > 0 && b[0] == '{' {
		if err := json.Unmarshal(b, &a); err != nil {
			d.t.Error(err)
		}
	}
	a.Status, a.text, a.header, a.cookies = resp.StatusCode, string(b), resp.Header, resp.Cookies()
	return a
}

func (d *desk) post(path string, body any, fills ...fill) answer {
	d.t.Helper()
	return d.do(http.MethodPost, path, body, fills...)
}

// expect wants a status and, of what is refused, a code.
func (a answer) expect(t *testing.T, what string, status int, code string) answer {
	t.Helper()
	if a.Status != status || a.Code != code {
		t.Errorf("%s: got %d %s, want %d %q", what, a.Status, a.text, status, code)
	}
	return a
}

type object = map[string]any

func credentials(email, password string) object { return object{"email": email, "password": password} }

// person makes an account that is verified, and logs in.
func (d *desk) person(email string) answer {
	d.t.Helper()
	if _, err := d.accounts.Create(d.t.Context(), account.Applicant{Email: email, Password: goodPassword}); err != nil {
		d.t.Fatal(err)
	}
	return d.login(email, goodPassword)
}

func (d *desk) login(email, password string) answer {
	d.t.Helper()
	return d.post("/auth/login", credentials(email, password)).expect(d.t, "log in", 200, "")
}

// admitted reports whether an access token is taken now.
func (d *desk) admitted(token string) bool {
	d.t.Helper()
	d.authenticator.Forget() // what a second of patience would do
	_, err := d.authenticator.Authenticate(d.t.Context(), token)
	return err == nil
}

var linkForm = regexp.MustCompile(`(?m)^  (\S+)/auth/link#(verify|email|reset)=([A-Z2-7]{26})$`)

// letter returns the newest letter to an address, which must begin with these words, and the kind and token of its link.
func (d *desk) letter(to, subject string) (kind, token string) {
	d.t.Helper()
	for _, m := range d.box.Messages() {
		if m.To != to {
			continue
		}
		if m.Subject != subject {
			d.t.Fatalf("the newest letter to %s is %q, want %q", to, m.Subject, subject)
		}
		link := linkForm.FindStringSubmatch(m.Text)
		if link == nil {
			return "", ""
		}
		if link[1] != publicURL {
			d.t.Errorf("a link begins with %s", link[1])
		}
		return link[2], link[3]
	}
	d.t.Fatalf("there is no letter to %s", to)
	return "", ""
}

// atOnce asks n times at once, and counts the answers by status.
func (d *desk) atOnce(n int, ask func() answer) (statuses map[int]int, answers []answer) {
	var all sync.WaitGroup
	answers = make([]answer, n)
	for i := range n {
		all.Go(func() { answers[i] = ask() })
	}
	all.Wait()
	statuses = map[int]int{}
	for _, a := range answers {
		statuses[a.Status]++
	}
	return statuses, answers
}
