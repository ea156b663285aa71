// Package analysis answers what is asked of many readings at once: statistics of groups of series over windows of time,
// beside the same of an earlier time, ranked, and how two series go together.
//
// It plans what is answered by rollups and what by readings, reads both from history, and folds them into buckets of
// package stats, which knows what a statistic is. It holds no state but who may run, sees no database, and decides
// nothing about rights: whoever asks has seen to it that the series may be read.
//
// Start reading at Engine.Answer in engine.go; plan.go says what is read, fold.go how it becomes buckets.
package analysis
