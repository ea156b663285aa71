// Package account is people: how they register, prove their address, log in and stay logged in, change what is theirs, and
// leave. It owns users, sessions and challenges, the endpoints below /auth, and the letters that go with them. What a
// credential is worth is package auth's, and what a person may do is said by the rules.
//
// Start reading in routes.go, the table of the endpoints. session.go begins, renews and ends what access tokens belong to;
// letter.go is the job that writes to people.
package account
