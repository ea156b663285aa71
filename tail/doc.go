// Package tail holds in memory the readings of a project's journal that are not packed yet.
//
// It is a view of the journal (journal.View): a follower feeds it, every entry once and in order, and it answers with
// the latest reading of a series, with ranges, and with the state at exactly one offset. It owns no storage and decides
// nothing: what is here is in PostgreSQL too. Packed readings are not here.
//
// When packing exists, Trim(project, packedTo) will drop what came at offsets up to packedTo. It belongs beside Apply:
// each column then needs a mark of the entry that its readings came with, and its newest reading kept on its own, so
// that Latest still knows a series that is packed altogether.
//
// Start reading at Tail in tail.go; how late readings find their place is in column.go.
package tail
