package main

import (
	"os"
	"runtime"
	"sync"
)

// spare is how many more of Go's processors there are than the machine has for this program.
const spare = 2

// processors returns how many processors the machine has for this program, and gives Go a few more. While all of Go's are busy, with
// statistics say, what comes in from the network is looked at every 10 ms only, and storing a reading waits for that several
// times over; with one that is idle it is noticed at once, and the system shares the machine's out fairly. GOMAXPROCS in the
// environment is respected.
var processors = sync.OnceValue(func() int {
	n := runtime.GOMAXPROCS(0)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(n + spare)
	}
	return n
})
