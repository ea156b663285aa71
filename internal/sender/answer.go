package sender

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// maxAnswer bounds what is read of an answer, in bytes: acks and problems are far shorter.
const maxAnswer = 64 << 10

// readAnswer returns the ack, the fault that the server answered with, or a *temporaryError.
func readAnswer(resp *http.Response) (Ack, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return Ack{}, unreachable(err) // stored or not: asking again tells
	}
	if resp.StatusCode == http.StatusOK {
		return readAck(body)
	}
	f := readProblem(resp, body)
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
		return Ack{}, &temporaryError{fault: f}
	}
	return Ack{}, f
}

func readAck(body []byte) (Ack, error) {
	var ack struct {
		Ack
		Accepted *int `json:"accepted"`
	}
	if err := json.Unmarshal(body, &ack); err != nil || ack.Accepted == nil {
		return Ack{}, fault.Wrap(err, fault.Internal, "the answer is not Readout's: check the URL")
	}
	ack.Ack.Accepted = *ack.Accepted
	return ack.Ack, nil
}

// readProblem returns the fault in an answer; one that is no problem of Readout's, say a proxy's, is told by its status.
func readProblem(resp *http.Response, body []byte) *fault.Error {
	var p struct {
		Code      fault.Code `json:"code"`
		Detail    string     `json:"detail"`
		Index     *int       `json:"index"`
		Line      int        `json:"line"`
		RequestID string     `json:"requestId"`
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if media != "application/problem+json" || json.Unmarshal(body, &p) != nil || p.Code == "" {
		return fault.New(codeOf(resp.StatusCode), "the server answered %q, and not as Readout does: check the URL", resp.Status)
	}
	where := fmt.Sprintf("%s (HTTP %d", p.Code, resp.StatusCode)
	if p.Index != nil {
		where += fmt.Sprintf(", item %d", *p.Index)
	}
	if p.Line > 0 {
		where += fmt.Sprintf(", line %d", p.Line)
	}
	if p.RequestID != "" {
		where += ", request " + p.RequestID
	}
	f := fault.Wrap(fmt.Errorf("%s)", where), p.Code, "%s", p.Detail)
	f.Index, f.Line = p.Index, p.Line
	return f
}

// codeOf returns the code of the table that is nearest to a status.
func codeOf(status int) fault.Code {
	switch status {
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	case http.StatusTooManyRequests:
		return fault.TooMany
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fault.Unavailable
	}
	if status >= http.StatusInternalServerError {
		return fault.Internal
	}
	return fault.BadRequest
}

// retryAfter returns the wait that a Retry-After header asks for, in seconds or as a date (RFC 9110, 10.2.3); 0 when it
// asks for none.
func retryAfter(header string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(n, 0), 1e6)) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
