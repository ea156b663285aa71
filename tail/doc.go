// Package tail holds in memory the readings of a project's journal that are not packed yet, and of every series the
// newest reading, packed or not.
//
// It is a view of the journal (journal.View): a follower feeds it, every entry once and in order, and says what is
// packed. It answers with the state at exactly one offset: readings, and the deletions that packed readings do not know
// of yet. It owns no storage and decides nothing: what is here is in PostgreSQL too. Packed readings are not here;
// package history reads both as one.
//
// Start reading at Tail in tail.go; how late readings find their place is in column.go, how the newest reading of a
// series is kept in newest.go.
package tail
