package account_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/readout-dev/readout/account"
	"github.com/readout-dev/readout/mail"
)

// refusing is a post that takes nothing.
type refusing struct{ err error }

func (r refusing) Send(context.Context, mail.Message) error { return r.err }

func TestLetterIsTriedAgainUnlessItIsRefused(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.person("ada@example.org")
	id := d.client.User.Query().OnlyIDX(d.system())
	for name, c := range map[string]struct {
		err   error
		again bool
	}{
		"the server is away":       {errors.New("away"), true},
		"the recipient is refused": {errors.Join(mail.ErrRefused, errors.New("no such mailbox")), false},
	} {
		postman := &account.Postman{Client: d.client, Mail: refusing{c.err}, PublicURL: publicURL}
		err := postman.Work(t.Context(), &river.Job[account.Letter]{JobRow: &rivertype.JobRow{}, Args: account.Letter{User: id, What: "reset"}})
		var cancelled *rivertype.JobCancelError
		if err == nil || errors.As(err, &cancelled) == c.again {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Whoever registers somebody else's address must not write to them by our hand.
func TestLettersSayNothingThatAStrangerWrote(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for range 2 {
		d.post("/auth/register", object{"email": "ada@example.org", "password": goodPassword, "name": "Win at casino.example"}).
			expect(t, "register", 202, "")
	}
	d.letter("ada@example.org", takenSubject)
	for _, m := range d.box.Messages() {
		if strings.Contains(m.Subject+m.Text, "casino") || strings.Contains(m.Text, goodPassword) {
			t.Errorf("the letter is %+v", m)
		}
	}
}

func TestLettersToThoseWhoAreGoneAreNotWritten(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.person("ada@example.org")
	id := d.client.User.Query().OnlyIDX(d.system())
	for name, l := range map[string]account.Letter{
		"nobody": {User: 0, What: "reset"}, "gone": {User: id + 1, What: "reset"},
		"verified": {User: id, What: "verify"}, "has changed their mind": {User: id, What: "email"},
	} {
		if err := d.write(l); err != nil || len(d.box.Messages()) != 0 {
			t.Errorf("%s: %v, %v", name, err, d.box.Messages())
		}
	}
	if err := d.write(account.Letter{User: id, What: "unknown"}); err == nil {
		t.Error("a letter that does not exist was written")
	}
}
