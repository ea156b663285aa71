// Package hook finds out which entities change through ent, and tells of it once that is committed.
//
// What goes with what is deleted, by a cascade of the database, is told too. What is written past ent is not: whoever writes
// it tells of it himself. Start reading at Tell.
package hook
