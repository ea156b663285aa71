// Package history reads a project's readings as one: what is packed in PostgreSQL (chunk and young) and what is not yet
// (the tail), each reading once, whatever is appended, deleted or packed meanwhile.
//
// A read first takes a snapshot of the tail, then one of what is packed. Everything that the tail has dropped was packed
// before, so the two overlap or touch; if the packer is ahead of the tail, the read brings the tail up and begins again.
// Of equal readings the later wins: chunk, then the runs of young, then the tail, whose pending deletions take packed
// readings away. Nothing here writes, and nothing decides who may see what.
//
// Start reading at Reader in reader.go; read.go is the one way in which everything is read, merge.go makes one of the
// parts, plan.go says how far a stretch goes.
package history
