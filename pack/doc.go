// Package pack turns journals into what is read in milliseconds for years: rows of many readings, and rollups.
//
// Packer takes a project's unpacked entries, about once a minute, and writes them as young rows: readings of neighbouring
// series of one day, sorted, compressed (pack.go). Many young rows of a day become fewer (merge.go). When a day is over it is
// settled (settle.go): series with many readings get chunks of their own, the rest waits in one run for the end of the month,
// and rollups are computed. Deletions rewrite what they touch (delete.go). Each step is one transaction under the project's
// advisory lock, so a reader or a crash finds all of it or nothing.
//
// It owns neither the SQL (package store) nor the bytes (package reading) nor the statistics (package stats).
package pack
