package transport

import "time"

const mediaParts = "multipart/mixed"

// multipart is a stream of parts, https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol.
// Clients take a part as whole when they have seen what stands before the next: so that is sent with it.
var multipart = &form{
	kind:     OverMultipart,
	media:    mediaParts + `;boundary="graphql";subscriptionSpec=1.0`,
	idle:     5 * time.Second,
	opening:  boundary,
	alive:    partHead + "{}" + boundary,
	closing:  "--\r\n",
	next:     nextPart,
	failure:  failurePart,
	complete: func(b []byte, _ string) []byte { return b },
}

const (
	boundary = "\r\n--graphql"
	partHead = "\r\nContent-Type: application/json\r\n\r\n"
)

func nextPart(b []byte, _ string, a *Answer) []byte {
	b = append(append(b, partHead+`{"payload":`...), a.Body...)
	return append(b, "}"+boundary...)
}

// failurePart says in the payload what is wrong with the operation, and beside it what ended the stream.
func failurePart(b []byte, _ string, errs []byte, begun bool) []byte {
	if begun {
		b = append(append(b, partHead+`{"payload":null,"errors":`...), errs...)
		return append(b, "}"+boundary...)
	}
	b = append(append(b, partHead+`{"payload":{"errors":`...), errs...)
	return append(b, "}}"+boundary...)
}
