package transport

import (
	"mime"
	"net/http"
	"strings"
)

// wishes is how willingly, from 0 (not at all) to 1, a client takes the forms of an answer.
type wishes struct{ events, parts, plain float64 }

// wishesOf reads the Accept header. Streams have to be asked for by name, and multipart by its subscriptionSpec as well: a
// client that takes anything does not expect an answer without an end.
func wishesOf(header http.Header) (w wishes) {
	var events, json, graphQL preference
	for element := range strings.SplitSeq(strings.Join(header.Values("Accept"), ","), ",") {
		events.consider(element, mediaEvents)
		json.consider(element, mediaJSON)
		graphQL.consider(element, mediaGraphQL)
		if media, params, err := mime.ParseMediaType(element); err == nil && media == mediaParts && params["subscriptionspec"] == "1.0" {
			w.parts = quality(params)
		}
	}
	if events.precision == exact {
		w.events = events.quality
	}
	w.plain = max(json.quality, graphQL.quality)
	return w
}

// form returns the form of stream to send; nil: the client takes none. Of equals it is events, after which one can go on.
func (w wishes) form() *form {
	switch {
	case w.events == 0 && w.parts == 0:
		return nil
	case w.events >= w.parts:
		return sse
	}
	return multipart
}

// streams reports whether the client wants a stream rather than plain JSON for what has one result alone.
func (w wishes) streams() bool { return max(w.events, w.parts) > w.plain }
