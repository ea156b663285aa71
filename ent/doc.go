// Package ent is the folder of the entities: schema/ describes them by hand, rule/ says who may see and change them,
// db/ is the client that ent generates from both (never edited), and ent.graphqls their GraphQL types, generated too.
//
// Start reading in schema/project.go. After a change run `make generate`.
package ent

//go:generate go run -C .. ./ent/entc.go
