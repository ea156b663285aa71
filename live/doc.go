// Package live wakes those who wait for the entries of a project's journal, gives each of them every entry that concerns it
// once, and shares what is made of them.
//
// A Hub is a view of the journal (journal.View). A Subscription is a place in the journal and says which series concern it.
// At the head it has a short queue, which publishing fills by an index: so an entry costs what it concerns, and nobody else
// is woken. One that is behind the head, or whose queue was full, reads on by itself: from the Hub's ring of recent entries,
// or from PostgreSQL when the ring has moved on. So publishing never waits and starts nothing, a slow subscriber costs
// little memory and loses nothing, and while nothing arrives nothing runs.
//
// A feed is one execution for many listeners: its goroutine makes payloads, and each Listener takes them at its own pace.
//
// The package knows neither filters nor encodings; both are their owner's. Start reading at Next in subscription.go and
// publish in topic.go, for feeds at run in feed.go.
package live
