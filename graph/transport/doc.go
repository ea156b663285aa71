// Package transport carries GraphQL over HTTP and over WebSocket (graphql-transport-ws) to a gqlgen executor.
//
// It owns what happens between bytes and operations: media types, strict decoding, status and close codes, limits,
// backpressure and shutdown. It knows nothing of Readout's data, of authentication (WebSocket.Init is handed in) or of
// the schema; errors come from the executor's presenter, or are faults of internal/fault.
//
// Start with HTTP.Do in http.go, or with WebSocket.Do in websocket.go, socket.go (one connection) and operation.go (one
// operation on it).
package transport
