package entity

import "time"

// Kind says what happened.
type Kind uint8

// The kinds. Missed says that changes may have gone by untold: of the devices, series and keys of a project, or, where none
// is named, of anything.
const (
	Created Kind = iota + 1
	Updated
	Deleted
	Missed
)

// Type says which entity it happened to. Several may be or-ed to a set.
type Type uint8

// The types.
const (
	Project Type = 1 << iota
	Member
	Device
	Series
	Key
	User
	Session // of a person; told of when it ends, and not part of All: it is nobody's business but that of who remembers it

	All = Project | Member | Device | Series | Key | User
)

// Change is one change of one entity, which is committed.
type Change struct {
	Kind    Kind
	Type    Type  // 0 with Missed
	ID      int64 // 0 with Missed
	Project int64 // that the entity belongs to, or is; 0 of a user or session, and with Missed of everything
	User    int64 // whose membership or session it is, or the user's own id; else 0
	At      int64 // when it was told of, after its commit, in microseconds since 1970
}

// MissedAll says that anything may have changed.
func MissedAll() Change { return MissedIn(0) }

// MissedIn says that any device, series or key of a project may have changed; of 0 it is MissedAll.
func MissedIn(project int64) Change {
	return Change{Kind: Missed, Project: project, At: time.Now().UnixMicro()}
}
