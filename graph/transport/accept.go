package transport

import (
	"mime"
	"strconv"
	"strings"
)

// The media types of a response, https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types.
const (
	mediaJSON    = "application/json"
	mediaGraphQL = "application/graphql-response+json"
)

// negotiate chooses the media type of the response from the values of the Accept header: the one of the higher quality;
// of equals mediaGraphQL where the client names it, else mediaJSON. Without a header it is mediaJSON, which every client
// reads. It reports false when the client takes neither.
func negotiate(accept []string) (media string, ok bool) {
	header := strings.Join(accept, ",")
	if strings.TrimSpace(header) == "" {
		return mediaJSON, true
	}
	var plain, graphQL preference
	for element := range strings.SplitSeq(header, ",") {
		plain.consider(element, mediaJSON)
		graphQL.consider(element, mediaGraphQL)
	}
	if graphQL.quality > plain.quality || graphQL.quality == plain.quality && graphQL.precision == exact {
		return mediaGraphQL, graphQL.quality > 0
	}
	return mediaJSON, plain.quality > 0
}

// How precisely a media range names a media type; the most precise range decides, RFC 9110, section 12.5.1.
const (
	anything = 1 + iota // */*
	anyApp              // application/*
	exact
)

// preference is what an Accept header says of one media type.
type preference struct {
	precision int
	quality   float64
}

// consider takes element, one media range with parameters, into account if it covers media in UTF-8. What cannot be
// parsed covers nothing.
func (p *preference) consider(element, media string) {
	covered, params, err := mime.ParseMediaType(element)
	if err != nil {
		return
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return
	}
	precision := 0
	switch covered {
	case media:
		precision = exact
	case "application/*":
		precision = anyApp
	case "*/*":
		precision = anything
	}
	if precision > p.precision {
		*p = preference{precision, quality(params)}
	}
}

// quality returns the weight among params: 1 where none is given, 0 (not acceptable) where it is not one.
func quality(params map[string]string) float64 {
	q, ok := params["q"]
	if !ok {
		return 1
	}
	if f, err := strconv.ParseFloat(q, 64); err == nil && f > 0 && f <= 1 {
		return f
	}
	return 0
}
