package fault

import "net/http"

// Code names a kind of fault; the table below is the whole list.
type Code string

// The codes, as they appear in REST problems (`code`); the table maps them to the other doors.
const (
	Malformed        Code = "malformed_json"         // the body is not JSON at all
	EmptyBody        Code = "empty_body"             // nothing to read
	UnknownField     Code = "unknown_field"          // a field that the format does not have
	DuplicateField   Code = "duplicate_field"        // the same field twice in one object
	MissingField     Code = "missing_field"          // a field that the format needs
	ValueType        Code = "value_type"             // a value of the wrong JSON type; nothing is coerced
	ValueRange       Code = "value_range"            // a number that a float64 cannot hold
	TimeInvalid      Code = "time_invalid"           // not a time, or outside 1970 … a day from now
	TextInvalid      Code = "text_invalid"           // not UTF-8, a control character, or too long
	UnitMismatch     Code = "unit_mismatch"          // the series has another unit
	Invalid          Code = "invalid"                // understood, and wrong
	BadRequest       Code = "bad_request"            // the request itself is not well formed
	Unauthenticated  Code = "unauthenticated"        // no valid credential
	Forbidden        Code = "forbidden"              // a valid credential that does not allow it
	NotFound         Code = "not_found"              // unknown or foreign: the answer is the same
	UnknownDevice    Code = "unknown_device"         // no such device, and this project does not make unknown ones
	MethodNotAllowed Code = "method_not_allowed"     // this path does not take this method
	NotAcceptable    Code = "not_acceptable"         // no media type that the client accepts
	Conflict         Code = "conflict"               // it exists already, or has changed meanwhile
	TooLarge         Code = "too_large"              // over a documented limit of size
	MediaType        Code = "unsupported_media_type" // a content type or encoding that is not read here
	TooMany          Code = "too_many"               // a rate or queue is full: wait, then try again
	Lagging          Code = "lagging"                // a subscriber who reads too slowly asked to be closed then
	Unavailable      Code = "unavailable"            // the database is away, or the server is stopping
	Internal         Code = "internal"               // our fault; details are in the log
)

// Door is how one code looks through every door.
type Door struct {
	HTTP    int    // REST status
	GraphQL string // extensions.code
	Close   int    // WebSocket close code, when the fault ends the socket
	Exit    int    // exit status of the command line
}

var table = map[Code]Door{
	Malformed:        {http.StatusBadRequest, "BAD_REQUEST", 4400, 2},
	EmptyBody:        {http.StatusBadRequest, "BAD_REQUEST", 4400, 2},
	UnknownField:     {http.StatusBadRequest, "BAD_USER_INPUT", 4400, 2},
	DuplicateField:   {http.StatusBadRequest, "BAD_USER_INPUT", 4400, 2},
	MissingField:     {http.StatusUnprocessableEntity, "BAD_USER_INPUT", 4400, 2},
	ValueType:        {http.StatusUnprocessableEntity, "BAD_USER_INPUT", 4400, 2},
	ValueRange:       {http.StatusUnprocessableEntity, "BAD_USER_INPUT", 4400, 2},
	TimeInvalid:      {http.StatusUnprocessableEntity, "BAD_USER_INPUT", 4400, 2},
	TextInvalid:      {http.StatusUnprocessableEntity, "BAD_USER_INPUT", 4400, 2},
	UnitMismatch:     {http.StatusUnprocessableEntity, "BAD_USER_INPUT", 4400, 2},
	Invalid:          {http.StatusUnprocessableEntity, "BAD_USER_INPUT", 4400, 2},
	BadRequest:       {http.StatusBadRequest, "BAD_REQUEST", 4400, 2},
	Unauthenticated:  {http.StatusUnauthorized, "UNAUTHENTICATED", 4403, 3},
	Forbidden:        {http.StatusForbidden, "FORBIDDEN", 4403, 3},
	NotFound:         {http.StatusNotFound, "NOT_FOUND", 4404, 4},
	UnknownDevice:    {http.StatusNotFound, "NOT_FOUND", 4404, 4},
	MethodNotAllowed: {http.StatusMethodNotAllowed, "BAD_REQUEST", 4400, 2},
	NotAcceptable:    {http.StatusNotAcceptable, "BAD_REQUEST", 4400, 2},
	Conflict:         {http.StatusConflict, "CONFLICT", 4409, 5},
	TooLarge:         {http.StatusRequestEntityTooLarge, "TOO_LARGE", 1009, 2},
	MediaType:        {http.StatusUnsupportedMediaType, "BAD_REQUEST", 4400, 2},
	TooMany:          {http.StatusTooManyRequests, "TOO_MANY_REQUESTS", 4429, 6},
	Lagging:          {http.StatusTooManyRequests, "LAGGING", 4410, 6},
	Unavailable:      {http.StatusServiceUnavailable, "UNAVAILABLE", 1012, 6},
	Internal:         {http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", 1011, 1},
}

// Door returns how c looks through every door; a code outside the table looks like Internal.
func (c Code) Door() Door {
	if d, ok := table[c]; ok {
		return d
	}
	return table[Internal]
}
