// Package store is Readout's way to PostgreSQL: the server, the connections and all SQL outside ent.
//
// It owns the embedded server (StartEmbedded), the pool (Open), the schema's history (Migrate, migrations/), the
// journal's partitions (MakePartitions) and the translation of the database's errors into faults (Fault): nobody else
// looks at an SQLSTATE or at the name of a constraint. It knows nothing of what readings mean.
//
// Start reading at Open in pool.go; the embedded server begins in embedded.go.
package store
