package testdb

import "go.uber.org/goleak"

// Goroutines returns what lets goleak overlook the goroutines of this test binary's server, which ends with the binary:
// goleak.VerifyTestMain(m, testdb.Goroutines()...).
func Goroutines() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/readout-dev/readout/store.startProcess.func1"),
		goleak.IgnoreAnyFunction("github.com/readout-dev/readout/store.(*Embedded).watch"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).writerDescriptor.func1"), // the server's log
	}
}
