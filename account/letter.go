package account

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/riverqueue/river"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/challenge"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/mail"
)

// Letter is a job: to write to a person. It holds nothing secret: the token of a link is made when the letter is written.
type Letter struct {
	User int64  `json:"user"` // 0 is nobody: who asked must not tell by the time that there is none
	What string `json:"what"` // which letter
}

// Kind implements river.JobArgs.
func (Letter) Kind() string { return "letter" }

// The letters, each a file of the folder letter.
const (
	letterVerify = "verify" // follow the link, and the account is yours
	letterTaken  = "taken"  // somebody wants to register, and there is an account
	letterReset  = "reset"  // follow the link to set a password
	letterEmail  = "email"  // follow the link, and this is the account's address; the old one is told by letterMoving
	letterMoving = "moving"
	letterInUse  = "inuse" // in place of letterEmail where the new address has an account
)

//go:embed letter/*.txt
var letterFiles embed.FS

var letters = template.Must(template.New("").Option("missingkey=error").ParseFS(letterFiles, "letter/*.txt"))

// Postman writes the letters that jobs ask for. Safe for concurrent use.
type Postman struct {
	river.WorkerDefaults[Letter]
	Client    *db.Client
	Mail      mail.Sender
	PublicURL string           // what links begin with, without a slash at the end; never what a request says
	Now       func() time.Time // nil: time.Now
}

// Work implements river.Worker. A letter that cannot be sent is tried again, unless its recipient is refused for good.
func (p *Postman) Work(ctx context.Context, j *river.Job[Letter]) error {
	err := p.write(system(ctx), j.Args)
	if errors.Is(err, mail.ErrRefused) {
		return river.JobCancel(err)
	}
	return err
}

// write writes a letter. To people and challenges that are gone meanwhile there is nothing to write.
func (p *Postman) write(ctx context.Context, l Letter) error {
	u, err := p.Client.User.Query().Where(user.ID(l.User)).Only(ctx)
	if db.IsNotFound(err) || err == nil && l.What == letterVerify && u.VerifiedAt != nil {
		return nil
	}
	if err != nil {
		return err
	}
	switch l.What {
	case letterVerify:
		return p.challenge(ctx, l.What, u, challenge.KindVERIFY, verifyLasts)
	case letterTaken, letterReset:
		return p.challenge(ctx, l.What, u, challenge.KindRESET, resetLasts)
	case letterEmail:
		return p.move(ctx, u)
	}
	return fmt.Errorf("there is no letter %q", l.What)
}

// challenge writes a letter with a link, which replaces what was sent of the kind before.
func (p *Postman) challenge(ctx context.Context, what string, u *db.User, kind challenge.Kind, lasts time.Duration) error {
	token, hash := newToken()
	err := p.Client.Challenge.Create().SetUserID(u.ID).SetKind(kind).SetAddress(u.Email).
		SetHash(hash).SetExpiresAt(p.now().Add(lasts)).
		OnConflictColumns(challenge.FieldUserID, challenge.FieldKind).UpdateNewValues().Exec(ctx)
	if err != nil {
		return err
	}
	return p.send(ctx, what, u.Email, p.link(kind, token))
}

// move tells a person's address that another one is to take its place, and then asks that one.
func (p *Postman) move(ctx context.Context, u *db.User) error {
	asked, err := p.Client.Challenge.Query().
		Where(challenge.UserID(u.ID), challenge.KindEQ(challenge.KindEMAIL), challenge.ExpiresAtGT(p.now())).Only(ctx)
	if db.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.send(ctx, letterMoving, u.Email, asked.Address); err != nil && !errors.Is(err, mail.ErrRefused) {
		return err
	}
	inUse, err := p.Client.User.Query().Where(user.Email(asked.Address)).Exist(ctx)
	if err != nil {
		return err
	}
	if inUse {
		return p.send(ctx, letterInUse, asked.Address, "")
	}
	token, hash := newToken()
	if err := p.Client.Challenge.UpdateOne(asked).SetHash(hash).Exec(ctx); err != nil {
		return err
	}
	return p.send(ctx, letterEmail, asked.Address, p.link(challenge.KindEMAIL, token))
}

// link leads to the page of page/link.html. What is behind the # stays in the browser: no log of a server or proxy has it.
func (p *Postman) link(kind challenge.Kind, token string) string {
	return p.PublicURL + linkPath + "#" + strings.ToLower(kind.String()) + "=" + token
}

// send fills a letter in; about is a link or an address. A file's first line is the subject.
func (p *Postman) send(ctx context.Context, what, to, about string) error {
	var text strings.Builder
	err := letters.ExecuteTemplate(&text, what+".txt", struct{ About, Server string }{about, p.PublicURL})
	if err != nil {
		return err
	}
	subject, rest, _ := strings.Cut(text.String(), "\n")
	return p.Mail.Send(ctx, mail.Message{To: to, Subject: subject, Text: strings.TrimLeft(rest, "\n")})
}

func (p *Postman) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}
