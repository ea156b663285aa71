// Package fault is the one vocabulary of errors: what went wrong, said once, in words a client may read.
//
// Packages return *Error where they know the cause in the caller's terms and plain wrapped errors everywhere else; the
// doors (REST, GraphQL, sockets, CLI) translate through the table in code.go and log the rest. Only Message ever
// reaches a client: Err is for the log.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Error is a fault with a code of the table, a message for the client and, for the log alone, its cause.
type Error struct {
	Code    Code
	Message string
	Err     error // the cause; logged, never shown

	// Index is the place of the refused item in its request, counted from 0; nil when no single item is to blame.
	Index *int
	// Line is the line of the refused item, counted from 1, in formats of one item a line; 0 elsewhere.
	Line int
	// RetryAfter says when the same request may succeed; 0 where waiting does not help.
	RetryAfter time.Duration
}

// New returns a fault with a message that a client may read.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap is New with a cause, which is logged and never shown.
func Wrap(err error, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// At returns a copy of e that blames the item at index (counted from 0) of the request.
func (e *Error) At(index int) *Error {
	c := *e
	c.Index = &index
	return &c
}

// After returns a copy of e that asks the client to wait for d before it tries again.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Error tells the whole story, cause included: for logs, not for clients.
func (e *Error) Error() string {
	if e.Err == nil {
		return string(e.Code) + ": " + e.Message
	}
	return string(e.Code) + ": " + e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Of returns err as a fault; an error that is none becomes Internal with a message that says nothing of its cause.
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Message: "something went wrong here; the request id leads to the log line", Err: err}
}

// Is reports whether err is a fault with the given code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
