package main

import (
	"context"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"github.com/readout-dev/readout/account"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/job"
	"github.com/readout-dev/readout/mail"
)

// mailer returns what mail is sent by; nil when no address is to be verified.
func (c Config) mailer() (mail.Sender, error) {
	switch {
	case c.Verification == "off":
		return nil, nil
	case c.SMTPURL == "":
		return nil, fault.New(fault.Invalid, "READOUT_SMTP_URL: is needed, so that people can prove their e-mail addresses; or set READOUT_VERIFICATION=off, and whoever reaches the server may use any address")
	}
	return mail.NewSMTP(mail.SMTPConfig{URL: c.SMTPURL, From: c.MailFrom})
}

// wireAccounts makes the accounts, and the queue of what they leave to be done later.
func (s *server) wireAccounts(authenticator *auth.Authenticator, tokens *auth.Tokens, changes *changes, registry *prometheus.Registry) (*job.Queue, error) {
	pool, client := s.database.pool, s.database.client
	workers := river.NewWorkers()
	river.AddWorker(workers, &account.Tidier{Client: client})
	if s.mail != nil {
		s.postman = &account.Postman{Client: client, Mail: s.mail, PublicURL: strings.TrimRight(s.cfg.PublicURL, "/")}
		river.AddWorker(workers, s.postman)
	}
	queue, err := job.New(pool, workers, job.Config{
		Log: s.log, Metrics: registry, Every: []job.Periodic{{Every: account.TidyEvery, Args: account.Tidy{}}},
	})
	if err != nil {
		return nil, err
	}
	config := account.Config{
		Client: client, Passwords: auth.NewPasswords(auth.PasswordConfig{}), Tokens: tokens, Authenticator: authenticator,
		Projects: projects{client, changes}, Log: s.log,
	}
	if s.mail != nil {
		config.Letters = queue
	}
	s.accounts, err = account.New(config)
	return queue, err
}

// projects deletes projects for the program itself.
type projects struct {
	client  *db.Client
	changes *changes
}

// DeleteProject implements account.Projects: first nobody can send any more, then what was sent goes, then the rest.
func (p projects) DeleteProject(ctx context.Context, id int64) error {
	ctx = auth.NewContext(ctx, auth.System())
	if _, err := p.client.Key.Delete().Where(key.ProjectID(id)).Exec(ctx); err != nil {
		return err
	}
	if err := p.changes.EmptyProject(ctx, id); err != nil {
		return err
	}
	err := p.client.Project.DeleteOneID(id).Exec(ctx)
	if err != nil && !db.IsNotFound(err) {
		return err
	}
	p.changes.ProjectDeleted(id)
	return nil
}
