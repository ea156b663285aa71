// Package mail sends plain text messages to people: through an SMTP server (SMTP), or into a box in memory that a developer
// reads in the browser (Box). It owns what a message may look like and how it is handed over; what is written to whom is its
// callers', and trying again is too.
//
// Start reading at Sender.
package mail
