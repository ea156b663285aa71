// Package history reads a project's readings as one: what is packed in PostgreSQL (chunk and young) and what is not yet
// (the tail), each reading once, whatever is appended, deleted or packed meanwhile.
//
// A read first takes a snapshot of the tail, then one of what is packed. Everything that the tail has dropped was packed
// before, so the two overlap or touch; if the packer is ahead of the tail, the read brings the tail up and begins again.
// Of equal readings the later wins: chunk, then the runs of young, then the tail, whose pending deletions take packed
// readings away. Nothing here writes, and nothing decides who may see what.
//
// Start reading at Reader in reader.go; read.go is the one way in which all readings are read, merge.go makes one of the
// parts, plan.go says how far a stretch goes. Summaries in summaries.go answers by rollups what these say exactly, and says
// what is left to be read; Look in look.go says how much that would be, and reads what is little at once; MinMax in thin.go
// thins a range out while its rows arrive (fold.go).
package history
