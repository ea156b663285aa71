// Package migrations is the history of the schema: a file for each step, most in SQL, which store embeds and applies. What
// is in Go is a step of somebody else's tables that comes with their library. A step that some database has done never
// changes; what is new is a new file.
package migrations
