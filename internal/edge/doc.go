// Package edge is what stands between the network and the handlers: whose address a request is taken to come from, which
// pages of other origins may call, what browsers are told of every answer, and the certificate of TLS.
//
// It knows nothing of credentials or paths; cmd/readout puts it before the table of routes. Start at Headers, Origins,
// Proxies and Certificate.
package edge
