package export

import (
	"strconv"
	"strings"

	"github.com/readout-dev/readout/analysis"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// maxGroupBy is how many keys series may be grouped by.
const maxGroupBy = 10

// labelKey is what the key of a label begins with.
const labelKey = "label:"

// seriesGroup is series that are taken together.
type seriesGroup struct {
	members []analysis.Member
	cells   []cell // what they have in common, by the columns of groupColumns
}

// cell is a text, or null.
type cell struct {
	text  string
	there bool
}

// parseGroupBy checks what series are to be grouped by.
func parseGroupBy(keys []string) ([]string, error) {
	if len(keys) > maxGroupBy {
		return nil, fault.New(fault.Invalid, "at most %d keys to group by", maxGroupBy)
	}
	seen := map[string]bool{}
	for _, key := range keys {
		label, labelled := strings.CutPrefix(key, labelKey)
		switch {
		case seen[key]:
			return nil, fault.New(fault.Invalid, "group_by has the same key twice")
		case labelled:
			if err := checkLabel(label); err != nil {
				return nil, err
			}
		case key != "device" && key != "metric" && key != "series":
			return nil, fault.New(fault.Invalid, "group_by is device, metric, series or label: and the key of a label, as label:room")
		}
		seen[key] = true
	}
	return keys, nil
}

// checkLabel refuses the key of a label that no series can have: it becomes a part of the answer.
func checkLabel(key string) error {
	return reading.CheckText("a label's key", key, 1, reading.MaxLabelKey)
}

// groupColumns returns the names of the columns that tell groups apart: those of the keys. A series is told by all that it
// is, so the keys device and metric add nothing to the key series.
func groupColumns(keys []string) (columns []string) {
	for _, key := range keys {
		if key == "series" {
			columns = []string{"series", "device", "metric", "labels"}
		}
	}
	whole := columns != nil
	for _, key := range keys {
		if strings.HasPrefix(key, labelKey) || !whole {
			columns = append(columns, key)
		}
	}
	return columns
}

// groupSeries divides series by keys; groups come in the order of their first series. None without series.
func groupSeries(series []*db.Series, keys []string) (groups []seriesGroup) {
	columns := groupColumns(keys)
	places := map[string]int{}
	for _, s := range series {
		cells := make([]cell, len(columns))
		var key []byte
		for i, column := range columns {
			cells[i] = cellOf(s, column)
			key = strconv.AppendBool(strconv.AppendQuote(key, cells[i].text), cells[i].there)
		}
		at, known := places[string(key)]
		if !known {
			at = len(groups)
			places[string(key)], groups = at, append(groups, seriesGroup{cells: cells})
		}
		groups[at].members = append(groups[at].members, analysis.Member{Project: s.ProjectID, Series: s.ID, Labels: s.Labels})
	}
	return groups
}

func cellOf(s *db.Series, column string) cell {
	switch column {
	case "series":
		return cell{strconv.FormatInt(s.ID, 10), true}
	case "device":
		return cell{s.Edges.Device.Name, true}
	case "metric":
		return cell{s.Metric, true}
	case "labels":
		return cell{labelsText(s), true}
	}
	value, there := s.Labels[strings.TrimPrefix(column, labelKey)]
	return cell{value, there}
}
