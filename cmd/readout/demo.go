package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/readout-dev/readout/account"
	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/key"
	"github.com/readout-dev/readout/ent/db/member"
	"github.com/readout-dev/readout/ent/db/project"
	"github.com/readout-dev/readout/ent/db/user"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/greenhouse"
	"github.com/readout-dev/readout/mail"
)

// demoCmd runs the server with a simulated greenhouse whose devices send through the same door as any other.
type demoCmd struct {
	Config `embed:""`
	JSON   bool          `help:"When ready, print one JSON line: url, email, password, projectKey, deviceKey."`
	Days   int           `default:"30" help:"Days of history to send before the live readings."`
	Every  time.Duration `default:"2s" help:"How often each device sends once history is in."`
}

const (
	demoEmail   = "demo@example.org"
	demoProject = "Demo greenhouse"
	demoKeyName = "demo"
)

// demoAccess is how to get at the demo. Password and keys are new at each start, and those of the last are void.
type demoAccess struct {
	URL        string `json:"url"`
	Email      string `json:"email"`
	Password   string `json:"password"`
	ProjectKey string `json:"projectKey"`
	DeviceKey  string `json:"deviceKey"`

	device string // the one that deviceKey belongs to
}

// Run serves until it is told to stop.
func (c *demoCmd) Run(ctx context.Context, con console) (err error) {
	if c.Every < 10*time.Millisecond || c.Days < 0 || c.Days > 3650 {
		return fault.New(fault.Invalid, "--every is 10ms or more, --days between 0 and 3650")
	}
	if c.TLSCert != "" {
		return fault.New(fault.Invalid, "the demo speaks plain HTTP, on this machine: leave READOUT_TLS_CERT to readout serve")
	}
	if c.DatabaseURL == "" {
		// A folder of its own: a demo must not write into the data of a real installation.
		c.DataDir = filepath.Join(c.DataDir, "demo")
	}
	if c.LogLevel == "info" {
		c.LogLevel = "warn" // what there is to tell is told in words
	}
	progress := func(what string) { fmt.Fprintln(con.err, what) }
	s, err := newServer(ctx, c.Config, new(mail.Box), con.logger(c.Config), progress)
	if err != nil {
		return err
	}
	s.postman.PublicURL = s.url()
	access, err := c.prepare(ctx, s)
	if err != nil {
		return errors.Join(err, s.close())
	}
	running, cancel := context.WithCancelCause(ctx)
	ended := make(chan error, 1)
	go func() {
		err := s.Run(running)
		cancel(errors.Join(errors.New("the server ended"), err))
		ended <- err
	}()
	err = c.simulate(running, con, access)
	cancel(nil)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, <-ended)
}

// simulate sends history, says how to get in, then sends live readings until ctx ends.
func (c *demoCmd) simulate(ctx context.Context, con console, access demoAccess) error {
	feed := newDemoFeed(access.URL, access.ProjectKey, con.err)
	if err := feed.history(ctx, c.Days); err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(con.out).Encode(access); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintln(con.out, access.welcome()); err != nil {
		return err
	}
	return feed.live(ctx, c.Every)
}

// prepare makes the demo's user, project, devices and keys, or renews what is there from the last time.
func (c *demoCmd) prepare(ctx context.Context, s *server) (demoAccess, error) {
	ctx = auth.NewContext(ctx, auth.System())
	client := s.database.client
	access := demoAccess{URL: s.url(), Email: demoEmail, Password: rand.Text()}
	u, err := client.User.Query().Where(user.Email(demoEmail)).Only(ctx)
	if db.IsNotFound(err) {
		u, err = s.accounts.Create(ctx, account.Applicant{Email: demoEmail, Name: "Demo", Password: access.Password})
	} else if err == nil {
		err = s.accounts.SetPassword(ctx, u, access.Password)
	}
	if err != nil {
		return access, fmt.Errorf("make the demo's user: %w", err)
	}
	p, err := client.Project.Query().
		Where(project.Name(demoProject), project.HasMembersWith(member.UserID(u.ID))).First(ctx)
	if db.IsNotFound(err) {
		p, err = createProject(ctx, client, demoProject, u)
	}
	if err != nil {
		return access, fmt.Errorf("make the demo's project: %w", err)
	}
	if err := renewKeys(ctx, client, p, &access); err != nil {
		return access, fmt.Errorf("make the demo's keys: %w", err)
	}
	return access, nil
}

// renewKeys replaces the keys of the last start, and makes the devices.
func renewKeys(ctx context.Context, client *db.Client, p *db.Project, access *demoAccess) error {
	_, err := client.Key.Delete().Where(key.ProjectID(p.ID), key.Name(demoKeyName)).Exec(ctx)
	if err != nil {
		return err
	}
	var first *db.Device
	for _, d := range greenhouse.New(demoSeed).Devices() {
		made, err := deviceOf(ctx, client, p.ID, d.Name)
		if err != nil {
			return err
		}
		if err := made.Update().SetDescription(d.Description).Exec(ctx); err != nil {
			return err
		}
		if first == nil {
			first = made
		}
	}
	spec := auth.KeySpec{Project: p.ID, Name: demoKeyName, Scopes: auth.Ingest | auth.Read}
	if _, access.ProjectKey, err = auth.CreateKey(ctx, client, spec); err != nil {
		return err
	}
	spec.Device, access.device = &first.ID, first.Name
	_, access.DeviceKey, err = auth.CreateKey(ctx, client, spec)
	return err
}

// welcome is what a newcomer needs next.
func (a demoAccess) welcome() string {
	return fmt.Sprintf(`
Readout is ready at %[1]s

  Playground   %[1]s/playground
  Mail         %[1]s/dev/mail   (what is sent to people who register)
  E-mail       %[2]s
  Password     %[3]s
  Project key  %[4]s
  Device key   %[5]s   (of %[6]s)

Send a reading as %[6]s:

  curl %[1]s/v1/readings \
    -H 'Authorization: Bearer %[5]s' \
    -d '{"values": {"temperature": 21.5}}'

Watch it arrive: paste this into the playground, with the project key as the credential:

  subscription {
    readings(series: {metric: "temperature"}) {
      readings { time value series { device { name } } }
    }
  }

Ctrl-C stops it; what was stored stays in the data folder for the next time.
`, a.URL, a.Email, a.Password, a.ProjectKey, a.DeviceKey, a.device)
}

var _ slog.LogValuer = demoAccess{}

// LogValue keeps the secrets out of logs.
func (a demoAccess) LogValue() slog.Value { return slog.StringValue(a.URL) }
