package account_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/readout-dev/readout/account"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/job"
)

// Neither what is answered nor how long it takes tells whether an address has an account. The jobs are those of the program,
// and nobody does them here; passwords cost what they cost. A machine that does something else meanwhile spoils a
// measurement, so there are several: what differs in truth differs in all of them.
func TestAnswersDoNotTellWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("measures for half a minute")
	}
	d := setup(t, func(c *account.Config) { c.Passwords = auth.NewPasswords(auth.PasswordConfig{}) })
	workers := river.NewWorkers()
	river.AddWorker(workers, d.postman)
	queue, err := job.New(d.pool, workers, job.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d.accounts.Letters = queue
	const people = 200
	for i := range people {
		d.client.User.Create().SetEmail(fmt.Sprintf("known%d@example.org", i)).SetPassword(nobodysHash).ExecX(d.system())
	}
	asked := 0
	for name, ask := range map[string]func(email string) answer{
		"register": func(email string) answer { return d.post("/auth/register", credentials(email, goodPassword)) },
		"login":    func(email string) answer { return d.post("/auth/login", credentials(email, goodPassword)) },
		"forgot":   func(email string) answer { return d.post("/auth/password/forgot", object{"email": email}) },
		"resend":   func(email string) answer { return d.post("/auth/verify/resend", object{"email": email}) },
	} {
		var ratio float64
		for range 6 {
			var known, unknown []time.Duration
			for i := range 60 {
				asked++
				d.pass(time.Hour) // attempts are limited
				emails := []string{fmt.Sprintf("known%d@example.org", asked%people), fmt.Sprintf("unknown%d@example.org", asked)}
				took, texts := [2]time.Duration{}, [2]string{}
				for _, which := range []int{i % 2, 1 - i%2} { // neither is always the first
					began := time.Now()
					a := ask(emails[which])
					took[which], texts[which] = time.Since(began), fmt.Sprint(a.Status, withoutID(a))
				}
				if texts[0] != texts[1] {
					t.Fatalf("%s: known %s, unknown %s", name, texts[0], texts[1])
				}
				known, unknown = append(known, took[0]), append(unknown, took[1])
			}
			slices.Sort(known)
			slices.Sort(unknown)
			ratio = float64(known[30]) / float64(unknown[30])
			if ratio > 0.95 && ratio < 1.05 {
				t.Logf("%s: %v with an account, %v without", name, known[30], unknown[30])
				break
			}
		}
		if ratio < 0.95 || ratio > 1.05 {
			t.Errorf("%s takes %.2f times as long for an address with an account", name, ratio)
		}
	}
}

// nobodysHash is of a password that nobody knows, at today's cost.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func withoutID(a answer) string {
	if a.Code != "" {
		return a.Code + a.Detail
	}
	return a.text
}
