// Package forge makes access tokens that must be refused, and odd ones that must be taken, for the tests of every door.
//
// It is written as an attacker would write it who knows the rules: it shares no code with package auth. Start with Target.
package forge
