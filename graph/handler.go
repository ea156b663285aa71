package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/graph/gql"
	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

// maxTokens bounds a document before it is validated, which is quadratic in repeated fields.
const maxTokens = 2000

// Handler serves GraphQL over HTTP and WebSocket.
type Handler struct {
	http   http.Handler
	socket *transport.WebSocket
}

// NewHandler returns the handler of what r resolves. hooks are told what sockets do.
func NewHandler(r *Resolver, hooks transport.Hooks) *Handler {
	socket := &transport.WebSocket{Init: initSocket(r.Auth), Hooks: hooks, Log: r.Log}
	srv := handler.New(gql.NewExecutableSchema(gql.Config{Resolvers: r}))
	srv.AddTransport(socket)
	srv.AddTransport(transport.HTTP{})
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
	return &Handler{http: authenticated(r.Auth, srv), socket: socket}
}

// ServeHTTP implements http.Handler. A request over HTTP needs a credential; a socket brings it at connection_init.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.http.ServeHTTP(w, r) }

// Shutdown closes all sockets, on which clients connect again elsewhere, and waits for their operations to end.
func (h *Handler) Shutdown(ctx context.Context) error { return h.socket.Shutdown(ctx) }

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
		w.Header().Set("Retry-After", strconv.Itoa(int(max(f.RetryAfter.Seconds(), 1))))
	}
	if door.HTTP == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="readout"`)
	}
	w.WriteHeader(door.HTTP)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{
		"message": f.Message, "extensions": map[string]any{"code": door.GraphQL},
	}}})
}
