package export

import (
	"context"

	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/reading"
)

// spanReadings is how many readings are held at a time: about 5 MB.
const spanReadings = 200_000

// walk writes the readings of series, series by series. Series that have little in the range are read together, as many
// as fit into one span: a project of many slow series would else cost a query for each of them.
type walk struct {
	source   Source
	project  int64
	from, to int64
	rows     *rows
	out      *stream
	group    int // how many series to read together next
}

// page writes all readings of some series, in their order.
func (w *walk) page(ctx context.Context, page []*db.Series) error {
	for len(page) > 0 {
		group := page[:min(w.group, len(page))]
		whole, err := w.together(ctx, group)
		switch {
		case err != nil:
			return err
		case !whole:
			w.group = max(1, len(group)/4)
			continue
		case len(group) == w.group:
			w.group *= 2
		}
		page = page[len(group):]
	}
	return nil
}

// together writes a group of series if one span holds all of it, and reports whether it did. A single series is written
// span by span, however many there are.
func (w *walk) together(ctx context.Context, group []*db.Series) (whole bool, err error) {
	ids := make([]int64, len(group))
	byID := make(map[int64]*db.Series, len(group))
	for i, s := range group {
		ids[i], byID[s.ID] = s.ID, s
	}
	for span, err := range w.source.Spans(ctx, w.project, ids, w.from, w.to, spanReadings) {
		if err != nil {
			return false, err
		}
		if len(group) > 1 && span.To < w.to {
			return false, nil
		}
		for _, rs := range span.Series {
			if len(rs) == 0 {
				continue
			}
			if err := w.write(byID[rs[0].Series], rs); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func (w *walk) write(s *db.Series, rs []reading.Reading) error {
	w.rows.of(s)
	for len(rs) > 0 {
		n := min(len(rs), 500) // some 50 kB
		if err := w.out.write(w.rows.append(rs[:n])); err != nil {
			return err
		}
		rs = rs[n:]
	}
	return nil
}
