// Package auth says who is asking and what they may do: passwords, access tokens, keys, the principal of a request and
// the rate at which anyone may try.
//
// A person proves themselves once by password (password.go) and then by an access token (token.go); a device or a
// script by a key (key.go). Each of them becomes a Principal (principal.go), which travels in the context. Limiter
// (limit.go) slows down those who guess. These parts know no database and no HTTP; accounts and the look-up of keys are
// built on them. What a person may do in one project is their Role there, which is decided elsewhere.
//
// Start with Principal. Whatever is refused for lack of a valid credential is fault.Unauthenticated with one message,
// so that nobody learns from it how close they came.
package auth
