// Package client speaks to a Readout server: queries, mutations, and subscriptions that go on by themselves after broken
// connections and restarts of the server, missing nothing and seeing nothing twice.
//
// It knows two protocols, GraphQL over HTTP and graphql-transport-ws, and of the schema only the subscription to readings. It
// imports nothing else of Readout.
//
// Start with New, then Client.Readings, or Client.Subscribe for all else that can be subscribed to.
package client

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
)

// Client speaks to one server with one credential. Its fields are set before its first use and not changed after; its
// methods are safe for concurrent use. It holds no connection of its own: there is nothing to close.
type Client struct {
	HTTP   *http.Client      // for queries and mutations; nil: http.DefaultClient
	Dialer *websocket.Dialer // for subscriptions; nil: websocket.DefaultDialer. Its Subprotocols are not used

	// Silence is how long a server may say nothing before its connection counts as broken; 0: a minute. A server says
	// something each 25 seconds, if only by a ping.
	Silence time.Duration
	// Backoff says how long to wait before another attempt to connect, after so many (1, 2, …) that brought no event. nil: a
	// random time up to 0.2 s, doubled with each, and up to 15 s at most. Where a server says how long to wait, it is that at least.
	Backoff func(failures int) time.Duration
	// OnRetry is told why a subscription has to connect again, and after which wait; nil: nobody is. It must be quick.
	OnRetry func(err error, wait time.Duration)

	url        string
	credential Credential
}

// New returns a client of the server at an address as "https://readout.example.org", without a path or with the one that a proxy
// has put before the server's own. It connects to nothing yet.
func New(server string, credential Credential) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("read the server's address: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("read the server's address: %q is not as https://readout.example.org", server)
	}
	return &Client{url: u.JoinPath("graphql").String(), credential: credential}, nil
}

func (c *Client) http() *http.Client        { return cmp.Or(c.HTTP, http.DefaultClient) }
func (c *Client) dialer() *websocket.Dialer { return cmp.Or(c.Dialer, websocket.DefaultDialer) }
func (c *Client) silence() time.Duration    { return cmp.Or(c.Silence, time.Minute) }
