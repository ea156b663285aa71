package auth

import (
	"context"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// Kind says what stands behind a Principal. The zero Kind is nobody.
type Kind uint8

// The kinds, and the doors that take them: a User enters by GraphQL, the sockets and the account endpoints; a DeviceKey
// by the doors of ingest, for its own device alone, and by whatever else its scopes allow; a ProjectKey by ingest for any
// device of its project, and by GraphQL; Program by no door at all.
const (
	User       Kind = iota + 1 // a person, known by an access token
	DeviceKey                  // a device, known by a key of its own
	ProjectKey                 // a script or gateway, known by a key of its project
	Program                    // this program's own work: packing, jobs, migrations; made by System
)

// String returns the kind's name, for logs.
func (k Kind) String() string {
	switch k {
	case User:
		return "user"
	case DeviceKey:
		return "device key"
	case ProjectKey:
		return "project key"
	case Program:
		return "program"
	default:
		return "nobody"
	}
}

// Principal is who is asking. It must not be changed once it is in a context, and is then safe for concurrent use. The
// nil Principal is anonymous and may do nothing.
type Principal struct {
	Kind Kind

	User    int64 // id of the person; 0 unless Kind is User
	Project int64 // id of the project that the key belongs to; 0 for User and Program, who may see several
	Device  int64 // id of the device that the key belongs to; 0 unless Kind is DeviceKey
	Key     int64 // id of the key; 0 for User and Program
	Session int64 // id of the log-in; 0 unless Kind is User, and for one known by a token of no session

	DeviceName string    // the device's name in its project; empty unless Kind is DeviceKey
	Scopes     Scopes    // what the credential allows; for a User what holds in every project, before any role
	Expires    time.Time // when the credential ends, and with it every socket it opened; zero for never
}

// System returns the principal of the program's own work, which may do everything. No request ever becomes it: only code
// that acts for nobody calls this, where a reader can see it.
func System() *Principal {
	return &Principal{Kind: Program, Scopes: Ingest | Read | Admin}
}

// Reader returns the principal of work that is done once for all who may read a project: it may what each of them may. Like
// System it never comes by a request.
func Reader(project int64) *Principal {
	return &Principal{Kind: ProjectKey, Project: project, Scopes: Read}
}

// Can reports whether the credential allows all of scope; false for the anonymous and for no scope at all. It knows
// neither the clock (see Expired) nor projects: whether a person may touch one is for their Role there.
func (p *Principal) Can(scope Scopes) bool {
	return p != nil && p.Kind != 0 && p.Scopes.Has(scope)
}

// Expired reports whether the credential has ended at now: at Expires, to the instant. The anonymous never expire.
func (p *Principal) Expired(now time.Time) bool {
	return p != nil && !p.Expires.IsZero() && !now.Before(p.Expires)
}

type principalKey struct{}

// NewContext returns a copy of ctx that carries p; a nil p makes it anonymous again.
func NewContext(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// FromContext returns who is asking, nil for the anonymous.
func FromContext(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}

// refused is the one answer to a credential that is not valid; cause is for the log and must not hold the credential.
func refused(cause error) error {
	return &fault.Error{Code: fault.Unauthenticated, Message: "the credential is not valid", Err: cause}
}
