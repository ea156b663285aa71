// Package entity tells of changes of the entities (projects, members, devices, series, keys and users) to those in this
// process who wait for them or remember something of them.
//
// A Change says which entity was created, updated or deleted, and nothing of what it holds: who is told asks for that by
// rights of its own. A Bus brings each change, once it is committed, to the Watches that it concerns. Telling never waits
// for who is told: one who does not keep up learns that changes were missed.
//
// It neither finds out what changed (package ent/hook, and who writes without ent) nor brings it to other processes
// (journal.Replicas, in the words of text.go). Start reading at Watch in watch.go.
package entity
