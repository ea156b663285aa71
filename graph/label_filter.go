package graph

import (
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/predicate"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/store"
)

// maxLabelFilters is how many labels one object of a filter may speak of: as many as a series may have, and some.
const maxLabelFilters = 32

// labelled narrows a filter to the series whose labels are as all of the filters on labels say. Null is no condition; an
// empty list matches nothing, as everywhere.
func labelled(where *db.SeriesWhereInput, filters []*store.LabelFilter) error {
	if filters == nil {
		return nil
	}
	if len(filters) == 0 {
		where.AddPredicates(store.NoSeries)
		return nil
	}
	if len(filters) > maxLabelFilters {
		return fault.New(fault.Invalid, "at most %d filters on labels in one list", maxLabelFilters)
	}
	conditions := make([]predicate.Series, len(filters))
	for i, f := range filters {
		var err error
		if conditions[i], err = f.Predicate(); err != nil {
			return err
		}
	}
	where.AddPredicates(conditions...)
	return nil
}
