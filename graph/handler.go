package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"golang.org/x/sync/errgroup"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

// maxTokens bounds a document before it is validated, which is quadratic in repeated fields.
const maxTokens = 2000

// Handler serves GraphQL over HTTP, as streams of events or parts too, and over WebSocket.
type Handler struct {
	http          http.Handler
	socket        *transport.WebSocket
	streams       *transport.Streaming
	subscriptions *transport.Subscriptions
	forget        func() // what the resolver remembers of entities
}

// NewHandler returns the handler of what r resolves. hooks are told what sockets do.
func NewHandler(r *Resolver, hooks transport.Hooks) *Handler {
	r.Entities = cmp.Or(r.Entities, new(entity.Bus))
	r.rights.open(r.Client, r.Log)
	unhear := r.hear()
	r.subscriptions = &transport.Subscriptions{
		Plan:  r.planLive,
		Fault: func(_ context.Context, err error) *fault.Error { return toFault(err) }, Owner: owner, Sent: r.Sent, Log: r.Log,
	}
	welcome := func(req *http.Request) bool { return transport.SameOrigin(req) || r.Origin != nil && r.Origin(req) }
	socket := &transport.WebSocket{CheckOrigin: welcome, Init: initSocket(r.Auth, &r.rights), Renew: renewSocket(r.Auth, &r.rights), Subscriptions: r.subscriptions, Hooks: hooks, Log: r.Log}
	streams := &transport.Streaming{CheckOrigin: welcome, Session: streamSession(&r.rights), Subscriptions: r.subscriptions, Log: r.Log}
	srv := handler.New(gql.NewExecutableSchema(gql.Config{Schema: Schema(), Resolvers: r}))
	srv.AddTransport(socket)
	srv.AddTransport(streams)
	srv.AddTransport(transport.HTTP{Beside: "PUT, DELETE"})
	srv.SetParserTokenLimit(maxTokens)
	srv.SetDisableSuggestion(true) // they compare a name, however long, with all there are; editors know better ones
	srv.Use(extension.Introspection{})
	cache := newDocuments()
	srv.SetQueryCache(cache)
	srv.Use(repetition{cache})
	srv.Use(limits{})
	srv.Use(newTransactions(r.Client, r.Log, r.Transactions))
	srv.AroundRootFields(afterFailure)
	inBudget := operations{r, newBudget()}
	srv.AroundOperations(inBudget.run)
	srv.AroundResponses(explained)
	srv.AroundResponses(inBudget.respond)
	srv.SetErrorPresenter(presenter(r.Log))
	srv.SetRecoverFunc(recovered(r.Log))
	return &Handler{http: authenticated(r.Auth, srv), socket: socket, streams: streams, subscriptions: r.subscriptions, forget: func() { unhear(); r.rights.shut() }}
}

// ServeHTTP implements http.Handler. A request over HTTP needs a credential; a socket brings it at connection_init.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.http.ServeHTTP(w, r) }

// Shutdown closes all sockets and streams, on which clients connect again elsewhere, and waits for their operations to end.
func (h *Handler) Shutdown(ctx context.Context) error {
	defer h.forget()
	defer h.subscriptions.Close()
	var both errgroup.Group
	both.Go(func() error { return h.socket.Shutdown(ctx) })
	both.Go(func() error { return h.streams.Shutdown(ctx) })
	return both.Wait()
}

// Streams are the responses that go on, for metrics.
func (h *Handler) Streams() *transport.Streaming { return h.streams }

// Subscriptions is what is subscribed to, for metrics.
func (h *Handler) Subscriptions() *transport.Subscriptions { return h.subscriptions }

// authenticated lets only requests with a valid credential through, and upgrades to WebSocket.
func authenticated(a *auth.Authenticator, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (*transport.WebSocket)(nil).Supports(r) {
			next.ServeHTTP(w, r)
			return
		}
		ctx, err := a.Request(r)
		if err == nil && auth.FromContext(ctx) == nil {
			err = errNoCredential
		}
		if err != nil {
			refuse(w, err)
			return
		}
		ctx, _ = newSession(ctx)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

var errNoCredential = fault.New(fault.Unauthenticated, "send an access token or a key as Authorization: Bearer …")

// refuse answers as GraphQL does, for clients that read nothing else.
func refuse(w http.ResponseWriter, err error) {
	f := fault.Of(err)
	door := f.Code.Door()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	if door.HTTP == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="readout"`)
	}
	w.WriteHeader(door.HTTP)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{
		"message": f.Message, "extensions": map[string]any{"code": door.GraphQL},
	}}})
}
