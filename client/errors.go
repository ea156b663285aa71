package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is one error of a GraphQL answer.
type Error struct {
	Message    string     `json:"message"`
	Path       []any      `json:"path"`
	Extensions Extensions `json:"extensions"`
}

// Extensions is what a server tells of an error beside its message.
type Extensions struct {
	Code       string  `json:"code"`       // such as BAD_USER_INPUT; the documentation has the list
	RetryAfter float64 `json:"retryAfter"` // the same may succeed after so many seconds; 0: not said
}

// Errors are those of an answer, one at least.
type Errors []Error

// Error has the first error, and how many follow.
func (e Errors) Error() string {
	if len(e) == 0 {
		return "an error without a message"
	}
	text := e[0].Message
	if e[0].Extensions.Code != "" {
		text = e[0].Extensions.Code + ": " + text
	}
	if len(e) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(e)-1)
	}
	return text
}

// Code returns the code of the first error, empty where it has none.
func (e Errors) Code() string {
	if len(e) == 0 {
		return ""
	}
	return e[0].Extensions.Code
}

// CloseError is the end of a connection, with the WebSocket close code that says why: 1006 where nothing did.
type CloseError struct {
	Code   int
	Reason string

	renewable bool // the token was accepted, and another one may be
}

func (e *CloseError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the connection was closed: %d %s", e.Code, e.Reason))
}

// StatusError is an answer over HTTP that is none of GraphQL, or a refused connection.
type StatusError struct {
	Status     int
	Detail     string        // what the server, or a proxy before it, says; cut to 1,000 bytes
	RetryAfter time.Duration // 0: not said
}

func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the server answered %d %s: %s", e.Status, http.StatusText(e.Status), e.Detail))
}

// statusOf returns what an answer says that is not as it should be.
func statusOf(resp *http.Response, body []byte) *StatusError {
	e := &StatusError{Status: resp.StatusCode, Detail: strings.TrimSpace(string(body[:min(len(body), 1000)]))}
	var told struct {
		Detail string `json:"detail"`
		Errors Errors `json:"errors"`
	}
	_ = json.Unmarshal(body, &told)
	switch {
	case told.Detail != "":
		e.Detail = told.Detail
	case len(told.Errors) > 0:
		e.Detail = told.Errors[0].Message
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

// Final reports whether a subscription that failed by err will fail again: such errors end it, after all others it connects
// again. Final are the close codes that say that the client is wrong or has no rights, statuses from 400 to 499 and the errors
// of a refused operation, but for those that only ask to come later.
func Final(err error) bool {
	var closed *CloseError
	var status *StatusError
	var errs Errors
	switch {
	case errors.As(err, &closed):
		return closed.final()
	case errors.As(err, &status):
		return status.Status/100 == 4 && status.Status != http.StatusRequestTimeout && status.Status != http.StatusTooManyRequests
	case errors.As(err, &errs):
		return errs.Code() != "TOO_MANY_REQUESTS" && errs.Code() != "UNAVAILABLE" && errs.Code() != "LAGGING"
	}
	return false
}

func (e *CloseError) final() bool {
	switch e.Code {
	case 1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, // it has ended, or broke
		4408, // connection_init took too long on its way
		4410: // we lag behind, and have asked for this
		return false
	case 4403:
		return !e.renewable
	}
	return true
}

// waitOf returns how long the server asks to wait; 0: not said.
func waitOf(err error) time.Duration {
	var status *StatusError
	var errs Errors
	switch {
	case errors.As(err, &status):
		return status.RetryAfter
	case errors.As(err, &errs) && len(errs) > 0:
		return time.Duration(errs[0].Extensions.RetryAfter * float64(time.Second))
	}
	return 0
}
