// Package transport carries GraphQL over HTTP, as streams of events or parts too, and over WebSocket (graphql-transport-ws) to a
// gqlgen executor.
//
// It owns what happens between bytes and operations: media types, strict decoding, status and close codes, limits,
// backpressure and shutdown. It knows nothing of Readout's data, of authentication (WebSocket.Init is handed in) or of
// the schema; errors come from the executor's presenter, or are faults of internal/fault.
//
// Start with HTTP.Do in http.go; with Streaming.Do in streaming.go, pipe.go (one response that goes on) and pulling.go (one
// operation on it); or with WebSocket.Do in websocket.go, socket.go (one connection) and operation.go (one operation on it).
package transport
