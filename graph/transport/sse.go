package transport

import (
	"bytes"
	"time"
)

const mediaEvents = "text/event-stream"

// sse is a stream of Server-Sent Events, https://html.spec.whatwg.org/multipage/server-sent-events.html, as
// https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md fills it. An event of a stream of one operation has the answer's
// cursor as its id: a client that comes again sends it as Last-Event-ID.
var sse = &form{
	kind:     OverSSE,
	media:    mediaEvents + "; charset=utf-8",
	idle:     12 * time.Second,
	opening:  ":\n\n",
	alive:    ":\n\n",
	next:     nextEvent,
	failure:  failureEvent,
	complete: completeEvent,
	returns:  true,
}

func nextEvent(b []byte, op string, a *Answer) []byte {
	b = append(b, "event: next\n"...)
	if op == "" && a.Cursor != "" && !bytes.ContainsAny([]byte(a.Cursor), "\r\n\x00") {
		b = append(append(append(b, "id: "...), a.Cursor...), '\n')
	}
	return appendData(b, op, a.Body)
}

func failureEvent(b []byte, op string, errs []byte, _ bool) []byte {
	b = append(b, "event: next\n"...)
	return appendData(b, op, append(append([]byte(`{"errors":`), errs...), '}'))
}

func completeEvent(b []byte, op string) []byte {
	b = append(b, "event: complete\ndata: "...) // without data a browser would not tell of it
	if op != "" {
		b = append(append(append(b, `{"id":`...), op...), '}')
	}
	return append(b, "\n\n"...)
}

// appendData appends the data of an event, and its end.
func appendData(b []byte, op string, body []byte) []byte {
	b = append(b, "data: "...)
	if op != "" {
		b = append(append(append(b, `{"id":`...), op...), `,"payload":`...)
	}
	from := len(b)
	b = append(b, body...)
	oneLine(b[from:])
	if op != "" {
		b = append(b, '}')
	}
	return append(b, "\n\n"...)
}

// oneLine makes spaces of the line breaks between the tokens of JSON, which would end the event.
func oneLine(json []byte) {
	for _, end := range []byte{'\n', '\r'} {
		for rest := json; ; {
			at := bytes.IndexByte(rest, end)
			if at < 0 {
				break
			}
			rest[at] = ' '
			rest = rest[at+1:]
		}
	}
}
