package store

// Pattern is what a regular expression becomes.
var Pattern = pattern
