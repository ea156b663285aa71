package reading

// Series is what a sender says of the series its readings belong to; the store knows it by a number. Check tells
// whether it may be stored.
type Series struct {
	Device string // the device's name
	Metric string
	Labels Labels // canonical: see Labels
	Unit   string // UCUM code; empty says nothing of the unit
}

// Batch is what one request carries: the distinct series that it names, and its readings in the order they were sent.
// Readings[i].Series is an index into Series until Resolve replaces it by the series' id.
type Batch struct {
	Series   []Series
	Items    []int // by series: the place in the request, counted from 0, of the item that names it first
	Readings []Reading
}

// Resolve replaces each reading's index by the id of its series and returns the readings; ids[i] is the id of
// Series[i]. The batch must not be used afterwards.
func (b *Batch) Resolve(ids []int64) []Reading {
	for i := range b.Readings {
		b.Readings[i].Series = ids[b.Readings[i].Series]
	}
	return b.Readings
}
