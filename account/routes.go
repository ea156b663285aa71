package account

import "net/http"

// Route is an endpoint. Serve returns faults, and errors of the database as they are.
type Route struct {
	Path    string // a pattern of http.ServeMux without a method
	Methods []string
	Serve   func(http.ResponseWriter, *http.Request) error
}

// Routes is the table of the endpoints; docs/accounts.md describes them.
func (a *Accounts) Routes() []Route {
	post := func(path string, serve func(http.ResponseWriter, *http.Request) error) Route {
		return Route{path, []string{http.MethodPost}, serve}
	}
	return []Route{
		post("/auth/register", a.serveRegister),
		post("/auth/verify", a.serveVerify),
		post("/auth/verify/resend", a.serveResend),
		post("/auth/login", a.serveLogin),
		post("/auth/refresh", a.serveRefresh),
		post("/auth/logout", a.serveLogout),
		post("/auth/logout/everywhere", a.serveLogoutEverywhere),
		{"/auth/sessions", []string{http.MethodGet}, a.serveSessions},
		{"/auth/sessions/{id}", []string{http.MethodDelete}, a.serveEndSession},
		{"/auth/me", []string{http.MethodGet, http.MethodPatch, http.MethodDelete}, a.serveMe},
		post("/auth/password", a.servePassword),
		post("/auth/password/forgot", a.serveForgot),
		post("/auth/password/reset", a.serveReset),
		post("/auth/email", a.serveEmail),
		{linkPath, []string{http.MethodGet, http.MethodHead}, servePage},
		{scriptPath, []string{http.MethodGet, http.MethodHead}, servePage},
	}
}
