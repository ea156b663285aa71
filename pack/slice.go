package pack

import (
	"sort"

	"github.com/readout-dev/readout/reading"
)

// search returns how many of the readings of one series, in order, come before the time t.
func search(rs []reading.Reading, t int64) int {
	if len(rs) == 0 || rs[len(rs)-1].Time < t {
		return len(rs)
	}
	return sort.Search(len(rs), func(i int) bool { return rs[i].Time >= t })
}

// between returns those of the readings of one series, in order, with from <= time < to.
func between(rs []reading.Reading, from, to int64) []reading.Reading {
	rs = rs[:search(rs, to)]
	return rs[search(rs, from):]
}

// searchSeries returns how many of sorted readings come before series.
func searchSeries(rs []reading.Reading, series int64) int {
	if len(rs) == 0 || rs[len(rs)-1].Series < series {
		return len(rs)
	}
	return sort.Search(len(rs), func(i int) bool { return rs[i].Series >= series })
}

// searchKey returns how many of sorted readings come before (series, t).
func searchKey(rs []reading.Reading, series, t int64) int {
	return sort.Search(len(rs), func(i int) bool {
		r := &rs[i]
		return r.Series > series || r.Series == series && r.Time >= t
	})
}
