package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set when a release is built; else the build says what it can.
var version = ""

// versionCmd prints the version.
type versionCmd struct{}

// Run prints it.
func (versionCmd) Run(con console) error {
	_, err := fmt.Fprintf(con.out, "readout %s %s %s/%s\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
