// Package journal keeps each project's append-only log of what arrived: the one truth that all the rest is derived from.
//
// Journal appends readings and deletions: whatever queued while the previous commit ran becomes the next one, an entry
// for each project, and nobody is answered before it is durable. Follower hands every entry, once and in the order of its
// offsets, to the views (the tail in memory, the live hub, the packer), and reads from PostgreSQL what they have not
// seen. Replicas does so for what other processes wrote, and tells them of what this one did.
//
// It owns neither the SQL (package store) nor the bytes of an entry (package reading), nor what the views make of it.
// Start reading at Append in journal.go, then flush.go; the second half begins at Follow in follower.go, the third at
// Run in replicas.go.
package journal
