package auth

import (
	"context"
	"strings"
	"time"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/internal/fault"
)

// KeySpec is what a new key is to be.
type KeySpec struct {
	Project int64
	Device  *int64 // nil: a key of the project
	Name    string
	Scopes  Scopes     // at least one; a device's key cannot have Admin
	Expires *time.Time // nil: never
}

// outlives reports whether something that ends at one time, nil for never, lasts longer than what ends at another, zero
// for never.
func outlives(one *time.Time, other time.Time) bool {
	return !other.IsZero() && (one == nil || one.After(other))
}

// CreateKey makes a key through client, by the rights of ctx, and returns it with its secret, which is kept nowhere.
// Faults: Invalid for scopes that such a key cannot have, Forbidden when a key asks for more than it has itself, and those
// of the rules.
func CreateKey(ctx context.Context, client *db.Client, spec KeySpec) (k *db.Key, secret string, err error) {
	kind := ProjectKey
	if spec.Device != nil {
		kind = DeviceKey
	}
	if spec.Scopes == 0 || kind == DeviceKey && spec.Scopes.Has(Admin) {
		return nil, "", fault.New(fault.Invalid, "a key has some of the scopes ingest, read and admin; a device's key cannot have admin")
	}
	if p := FromContext(ctx); p != nil && p.Key != 0 && (!p.Scopes.Has(spec.Scopes) || outlives(spec.Expires, p.Expires)) {
		return nil, "", fault.New(fault.Forbidden, "a key cannot make one that may do more, or lasts longer, than itself")
	}
	made := GenerateKey(kind)
	k, err = client.Key.Create().
		SetProjectID(spec.Project).SetNillableDeviceID(spec.Device).
		SetName(spec.Name).SetNillableExpiresAt(spec.Expires).
		SetHash(made.Hash[:]).SetHint(made.Hint).SetScopes(strings.Split(strings.ToUpper(spec.Scopes.String()), ",")).
		Save(ctx)
	return k, made.Secret, err
}
