// Command readout turns readings from hardware into a live GraphQL API.
//
// It only wires: serve.go connects the packages (with a drawing), config.go is all that can be set, and each subcommand
// has a file of its own.
package main

import (
	"os"
	_ "time/tzdata" // zones are known on machines without a zone database, too
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
