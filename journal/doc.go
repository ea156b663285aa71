// Package journal keeps each project's append-only log of what arrived: the one truth that all the rest is derived from.
//
// Journal appends: whatever queued while the previous commit ran becomes the next one, an entry for each project, and
// nobody is answered before it is durable. Follower hands every entry, once and in the order of its offsets, to the
// views (the tail in memory, the live hub, later the packer), and reads from PostgreSQL what they have not seen.
//
// It owns neither the SQL (package store) nor the bytes of an entry (package reading), nor what the views make of it.
// Start reading at Append in journal.go, then flush.go; the other half begins at Follow in follower.go.
package journal
