// Package stats computes what is said of many readings: statistics over the buckets of windows, and thinner series for
// charts.
//
// A Window divides a range into buckets (window.go). A Bucket is what was collected of the readings in one (bucket.go):
// a Summary, a Distribution, the Line through them. A Statistic is a function of a Bucket; each has a file of its name.
// Summary, Sketch and Line are what rollups keep, too, and can be put together. LTTB and MinMax stand on their own.
//
// It is pure: it reads no clock, no database and no configuration (of files only the zone database), and gives the same bits
// for the same readings.
package stats
