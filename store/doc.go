// Package store is Readout's way to PostgreSQL: the server, the connections and all SQL outside ent.
//
// It owns the embedded server (StartEmbedded), the pool (Open), the schema's history (Migrate, migrations/), the tables of
// readings with their partitions and how they are kept (partition.go, retention.go), and the translation of the database's
// errors into faults (Fault): nobody else looks at an SQLSTATE or at the name of a constraint. It does not know what
// readings mean.
//
// Start reading at Open in pool.go; the embedded server begins in embedded.go, the journal's rows in journal.go, those of
// what is packed in young.go, chunk.go and rollup.go, and reading them in read.go.
package store
