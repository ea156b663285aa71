// Package stats computes what is said of many readings of one series: summaries and sketches, which are kept in rollups
// and can be put together, and thinner series for charts.
//
// It is pure: it reads no clock, no storage and no configuration, and gives the same bits for the same readings. Start
// with Summary (summary.go) and Sketch (sketch.go); LTTB and MinMax stand on their own.
package stats
