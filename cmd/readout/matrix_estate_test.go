package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/mail"
	"github.com/readout-dev/readout/reading"
)

// estate is the real server in this process, with every door open, and places on it.
type estate struct {
	*server
	t        *testing.T
	ctx      context.Context // of the program itself
	url      string
	tokens   *auth.Tokens // signs as the server does
	outdated *auth.Tokens // did so an hour ago
	password string       // everybody's, hashed
	serial   atomic.Int64 // of whatever must be its own: names, addresses
}

// everybodysPassword is the password of all people.
const everybodysPassword = "correct horse 42 staple"

func newEstate(t *testing.T) *estate {
	t.Helper()
	const secret = "4pQz8vB1nXw7Rk3Ty6Lc9Jh2Gf5Dm0Sa"
	cfg := Config{
		Addr: "127.0.0.1:0", DatabaseURL: testdb.URL(t), JWTSecret: secret, PublicURL: "https://readout.example.net",
		TrustedProxies: "127.0.0.1", MaxConnections: 16, PackEvery: time.Minute, MaxUnpacked: 1_000_000,
		TokenTTL: 15 * time.Minute, ShutdownGrace: 10 * time.Second,
	}
	s, err := newServer(t.Context(), cfg, &mail.Box{}, slog.New(slog.DiscardHandler), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	e := &estate{server: s, t: t, ctx: auth.NewContext(t.Context(), auth.System()), url: s.url()}
	for made, now := range map[**auth.Tokens]func() time.Time{
		&e.tokens: time.Now, &e.outdated: func() time.Time { return time.Now().Add(-time.Hour) },
	} {
		if *made, err = auth.NewTokens(auth.TokenConfig{Secret: []byte(secret), Now: now}); err != nil {
			t.Fatal(err)
		}
	}
	cheap := auth.NewPasswords(auth.PasswordConfig{MemoryKiB: 64, Passes: 1})
	if e.password, err = cheap.Hash(t.Context(), everybodysPassword); err != nil {
		t.Fatal(err)
	}
	return e
}

// principals are the columns of the matrix, from the least to the most, so that what is allowed to the last does not
// spoil the rest.
var principals = []string{
	"anonymous", "unverified", "stranger", "former", "revoked", "expiredKey", "expiredToken",
	"deviceIngest", "deviceRead", "keyIngest", "keyRead", "viewer", "editor", "keyAdmin", "owner",
}

// visitor is somebody who asks, and what they come with.
type visitor struct {
	credential string // Bearer; "" for none
	email      string // of a person
	refresh    string // of a person's session
	user       int64
}

// place is a project with one of each entity, and everybody who can stand in some relation to it.
type place struct {
	*estate
	name string
	ids  map[string]int64 // of the entities, by type; member, user and session are the viewer's
	all  map[int64]bool   // ids of whatever its owner may see
	who  map[string]visitor
}

// places returns two places that know nothing of each other: the stranger of one is the owner of the other.
func (e *estate) places() (ours, theirs *place) {
	e.t.Helper()
	tx, err := e.database.client.Tx(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	ours, theirs = e.place(tx.Client(), "ours"), e.place(tx.Client(), "theirs")
	if err := tx.Commit(); err != nil {
		e.t.Fatal(err)
	}
	ours.who["stranger"], theirs.who["stranger"] = theirs.who["owner"], ours.who["owner"]
	for _, p := range []*place{ours, theirs} {
		var rs []reading.Reading
		for i := range 3 {
			rs = append(rs, reading.Reading{Series: p.ids["series"], Time: firstReading.Add(time.Duration(i) * time.Hour).UnixMicro(), Value: float64(i)})
		}
		if _, err := e.journal.Append(e.ctx, p.ids["project"], rs); err != nil {
			e.t.Fatal(err)
		}
	}
	return ours, theirs
}

var firstReading = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// place makes a place of a kind; its readings are sent when it is there.
func (e *estate) place(c *db.Client, kind string) *place {
	p := &place{estate: e, name: fmt.Sprintf("%s-%d", kind, e.serial.Add(1)), ids: map[string]int64{}, all: map[int64]bool{}, who: map[string]visitor{"anonymous": {}}}
	project := c.Project.Create().SetName(p.name + "-project").SaveX(e.ctx)
	p.ids["project"] = project.ID
	for _, suffix := range []string{"", "2"} { // the second is what a device's key must not see
		device := c.Device.Create().SetProject(project).SetName(p.name + "-device" + suffix).SetDescription(p.name + "-note").SaveX(e.ctx)
		p.ids["device"+suffix] = device.ID
		p.ids["series"+suffix] = c.Series.Create().SetProject(project).SetDevice(device).SetMetric(p.name + "-metric" + suffix).
			SetLabels(map[string]string{"room": p.name}).SetUnit("Cel").SaveX(e.ctx).ID
	}
	device := p.ids["device"]
	for name, spec := range map[string]auth.KeySpec{
		"keyIngest": {Scopes: auth.Ingest}, "keyRead": {Scopes: auth.Read}, "keyAdmin": {Scopes: auth.Read | auth.Admin},
		"deviceIngest": {Device: &device, Scopes: auth.Ingest}, "deviceRead": {Device: &device, Scopes: auth.Read},
		"revoked": {Scopes: auth.Ingest | auth.Read | auth.Admin}, "expiredKey": {Scopes: auth.Ingest | auth.Read | auth.Admin, Expires: &firstReading},
		"some": {Device: &device, Scopes: auth.Read},
	} {
		p.key(c, name, spec)
	}
	for name, role := range map[string]member.Role{
		"viewer": member.RoleVIEWER, "editor": member.RoleEDITOR, "owner": member.RoleOWNER, "expiredToken": member.RoleOWNER,
		"unverified": member.RoleOWNER, "former": member.RoleOWNER, "guest": "",
	} {
		p.person(c, name, role)
	}
	for _, entity := range []string{"project", "device", "device2", "series", "series2"} {
		p.all[p.ids[entity]] = true
	}
	return p
}

// key makes a key, as which somebody asks; "some" is the one that is asked about.
func (p *place) key(c *db.Client, name string, spec auth.KeySpec) {
	spec.Project, spec.Name = p.ids["project"], p.name+"-"+name
	k, secret, err := auth.CreateKey(p.ctx, c, spec)
	if err != nil {
		p.t.Fatal(err)
	}
	p.who[name] = visitor{credential: secret}
	switch name {
	case "revoked":
		c.Key.DeleteOne(k).ExecX(p.ctx)
	case "some":
		p.ids["key"] = k.ID
	}
	p.all[k.ID] = true
}

// person makes somebody with an account and a session, and takes them into the project.
func (p *place) person(c *db.Client, name string, role member.Role) {
	now := time.Now()
	v := visitor{email: strings.ToLower(p.name + "-" + name + "@example.org")}
	create := c.User.Create().SetEmail(v.email).SetName(p.name + "-" + name).SetPassword(p.password)
	if name != "unverified" {
		create.SetVerifiedAt(now)
	}
	v.user = create.SaveX(p.ctx).ID
	refresh := auth.NewRefresh()
	session := c.Session.Create().SetUserID(v.user).SetFamily(refresh.Family[:]).SetHash(refresh.Hash[:]).
		SetRotatedAt(now).SetSeenAt(now).SetExpiresAt(now.Add(time.Hour)).SetAgent(p.name + "-agent").SaveX(p.ctx)
	v.refresh = refresh.Secret
	signer := p.tokens
	if name == "expiredToken" {
		signer = p.outdated
	}
	var err error
	if v.credential, _, err = signer.IssueFor(v.user, session.ID); err != nil {
		p.t.Fatal(err)
	}
	switch name {
	case "unverified":
		v.credential, v.refresh = "", "" // no door gives them one: see the row of /auth/login
	case "viewer":
		p.ids["user"], p.ids["session"] = v.user, session.ID
	case "guest":
		p.who[name] = v
		return
	}
	m := c.Member.Create().SetProjectID(p.ids["project"]).SetUserID(v.user).SetRole(role).SaveX(p.ctx)
	switch name {
	case "former":
		c.Member.DeleteOne(m).ExecX(p.ctx)
		p.who[name] = v
		return
	case "viewer":
		p.ids["member"] = m.ID
	}
	p.all[m.ID], p.all[v.user], p.all[session.ID] = true, true, true
	p.who[name] = v
}

// request makes a request as somebody, each from an address of its own: it is not the limits that are tried here.
func (e *estate) request(ctx context.Context, method, path string, v visitor) *http.Request {
	r, err := http.NewRequestWithContext(ctx, method, e.url+path, http.NoBody)
	if err != nil {
		e.t.Fatal(err)
	}
	n := e.serial.Add(1)
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255))
	if v.credential != "" {
		r.Header.Set("Authorization", "Bearer "+v.credential)
	}
	return r
}
