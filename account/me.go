package account

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
)

// serveMe answers GET, PATCH and DELETE of /auth/me.
func (a *Accounts) serveMe(w http.ResponseWriter, r *http.Request) error {
	p, err := a.person(r)
	if err != nil {
		return err
	}
	switch r.Method {
	case http.MethodPatch:
		return a.serveUpdateMe(w, r, p)
	case http.MethodDelete:
		return a.serveDeleteMe(w, r, p)
	}
	u, err := a.Client.User.Get(system(r.Context()), p.User)
	if err != nil {
		return err
	}
	return replyMe(w, u)
}

func replyMe(w http.ResponseWriter, u *db.User) error {
	return reply(w, http.StatusOK, struct {
		ID        string          `json:"id"`
		Email     string          `json:"email"`
		Verified  bool            `json:"verified"`
		Name      string          `json:"name"`
		Zone      string          `json:"zone"`
		Settings  json.RawMessage `json:"settings"`
		CreatedAt time.Time       `json:"createdAt"`
	}{strconv.FormatInt(u.ID, 10), u.Email, u.VerifiedAt != nil, u.Name, u.Zone, u.Settings, u.CreatedAt.UTC()})
}

// Change is what a person changes about themselves; nil leaves it as it is.
type Change struct {
	Name     *string         // up to 128 bytes
	Zone     *string         // an IANA name
	Settings json.RawMessage // an object of up to 16 KiB; it takes the place of the one before
}

// Update changes a person through users, and returns them. Faults: Invalid, ValueType, TooLarge.
func Update(ctx context.Context, users *db.UserClient, person int64, c Change) (*db.User, error) {
	update := users.UpdateOneID(person).SetNillableName(c.Name).SetNillableZone(c.Zone)
	if c.Name != nil {
		if err := checkName(*c.Name); err != nil {
			return nil, err
		}
	}
	if c.Zone != nil {
		if err := checkZone(*c.Zone); err != nil {
			return nil, err
		}
	}
	if c.Settings != nil {
		settings, err := compactSettings(c.Settings)
		if err != nil {
			return nil, err
		}
		update.SetSettings(settings)
	}
	return update.Save(system(ctx))
}

func (a *Accounts) serveUpdateMe(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	in, err := a.readOrEmpty(w, r, maxMeBody, "name", "zone", "settings")
	if err != nil {
		return err
	}
	c := Change{Settings: in.fields["settings"]}
	for name, field := range map[string]**string{"name": &c.Name, "zone": &c.Zone} {
		if in.has(name) {
			text := in.text(name)
			*field = &text
		}
	}
	if in.err != nil {
		return in.err
	}
	u, err := Update(r.Context(), a.Client.User, p.User, c)
	if err != nil {
		return err
	}
	return replyMe(w, u)
}
