// Package live wakes those who wait for the entries of a project's journal and gives each of them every entry once.
//
// A Hub is a view of the journal (journal.View). There is no queue for a subscriber: a Subscription is a place in the
// journal, and its Next reads on from there: from the Hub's ring of recent entries, from PostgreSQL when the ring has
// moved on, or it waits. So publishing never waits and starts nothing, a slow subscriber costs no memory and loses
// nothing, and while nothing arrives nothing runs.
//
// It neither filters entries for a subscriber nor encodes them. Start reading at Next in subscription.go.
package live
