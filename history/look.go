package history

import (
	"context"
	"time"

	"github.com/readout-dev/readout/store"
	"github.com/readout-dev/readout/tail"
)

// LookQuery says what Look looks at: of series of one project, which must be distinct, the readings with From <= time < To.
type LookQuery struct {
	Project  int64
	Series   []int64
	From, To int64 // µs
	Most     int   // what is Most or more says only that there are at least about so many

	Few    int   // up to about so many, with those of the margins, are read at once; 0 = none
	Margin int64 // how much more is read then on either side of the range, µs
}

// Look is what Reader.Look finds.
type Look struct {
	Readings int  // about so many are in the range, without the margins
	Outlived bool // there were more, which are gone by age, but not their rollups: of those Summaries tells
	Read     bool // all were read, those of the margins too
}

// Look estimates how many readings there are, as Estimate does, and reads them if they are few and all that there is to know: who
// would ask Estimate and then Spans looks at the database once. They are given to use as one Span, unless there are none; it
// is valid during the call, and an error of use comes back as it is.
func (r *Reader) Look(ctx context.Context, q LookQuery, use func(Span) error) (Look, error) {
	if q.From >= q.To || len(q.Series) == 0 {
		return Look{}, nil
	}
	began := time.Now()
	var order order
	q.Series, order = inOrder(q.Series)
	room := r.takeRoom()
	defer r.leaveRoom(room)
	var look Look
	var found stretch
	err := r.abreast(ctx, q.Project, func() (err error) {
		look, found, err = r.look(ctx, q, room)
		return err
	})
	if err != nil || !look.Read {
		return look, err
	}
	r.metrics.observe(began)
	if found.count == 0 {
		return look, nil
	}
	return look, use(Span{found.from, found.to, order.undo(found.series), found.fresh()})
}

// look looks once, unless the tail is behind; the series of q are sorted. First the tail, then what is packed, as in Reader.once.
func (r *Reader) look(ctx context.Context, q LookQuery, room *room) (look Look, found stretch, err error) {
	done, err := r.turn(ctx)
	if err != nil {
		return look, found, err
	}
	defer done()
	whole := q.whole()
	var held tail.Snapshot
	mayRead := q.Few > 0 && len(q.Series) == len(whole.series) && r.tail.Count(q.Project, q.Series, whole.from, whole.to) <= q.Few
	if mayRead {
		held = r.tail.Snapshot(q.Project, q.Series, whole.from, whole.to)
	} else {
		whole.from, whole.to = q.From, q.To
	}
	look.Readings = r.tail.Count(q.Project, q.Series, q.From, q.To)
	keys, err := store.FindEstimate(ctx, r.pool, store.EstimateQuery{
		Wanted: store.Wanted{
			Project: q.Project, Series: whole.series, From: whole.from, To: whole.to, MaxChunks: estimateRows, MaxRows: estimateRows,
		},
		Series: q.Series, From: q.From, To: q.To, KeysOnly: !mayRead,
	})
	if err != nil {
		return look, found, store.Fault(err)
	}
	defer keys.Packed.Close(ctx)
	look.Outlived = keys.Outlived
	look.Readings += q.likely(whole, keys.Packed, q.Most-look.Readings, r.now().UnixMicro())
	if !mayRead || look.Outlived || !whole.isFew(keys.Packed, held, q.Few) {
		return look, found, nil
	}
	if keys.Packed.To > held.Offset {
		return look, found, errBehind
	}
	found, err = r.merge(ctx, whole, held, keys.Packed, room)
	if err == errTooMany { //nolint:errorlint // it is never wrapped
		return look, found, nil // the keys promised fewer
	}
	look.Read = err == nil
	return look, found, err
}

// whole returns the query that reads all, of many series some.
func (q LookQuery) whole() query {
	return query{
		project: q.Project, series: sample(q.Series), max: unlike * q.Few,
		from: max(q.From, q.Margin-forever) - q.Margin, to: min(q.To, forever-q.Margin) + q.Margin,
	}
}

// likely returns about how many readings of the range are in rows that the whole query finds, if so many are of interest.
func (q LookQuery) likely(whole query, packed *store.Packed, most int, now int64) int {
	if most <= 0 {
		return 0
	}
	whole.from, whole.to = q.From, q.To
	return int(whole.likely(packed, now) * float64(len(q.Series)) / float64(len(whole.series)))
}

// isFew reports whether all rows of the query are known, and hold no more than about few readings.
func (q query) isFew(packed *store.Packed, held tail.Snapshot, few int) bool {
	return len(packed.Chunks) < estimateRows && len(packed.Young) < estimateRows && q.sum(packed, held) <= float64(few)
}
