// Package graph answers GraphQL: thin resolvers over the entities (ent) and the engines (history, live), its limits and its
// errors. What a query may see is decided by the rules of ent/rule alone: every field of time series takes series that an
// ent query has answered.
//
// Start reading in resolver.go; *.resolvers.go are the table of contents, gql/ is generated, transport/ speaks HTTP and
// WebSocket.
package graph

//go:generate go run -C .. github.com/99designs/gqlgen
