// Package ingest is the REST door for readings: it decodes what devices send, checks every value, finds the series that
// are meant, appends the readings to the journal, and answers once they are committed.
//
// It owns the formats of the wire and the registry of series; what may be stored is package reading's to say, and
// durability is the journal's. Nothing is coerced and nothing dropped in silence: a reading is stored as it was sent or
// refused with a fault that names the item.
//
// Start with Readings.Serve, then Decoder in json.go.
package ingest
