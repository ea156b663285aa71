package store

import (
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// memory returns the machine's memory in bytes, or its container's limit where that is smaller; 0 when unknown.
func memory() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return min(info.Totalram*uint64(info.Unit), containerLimit("/sys/fs/cgroup/memory.max"))
}

// containerLimit reads a cgroup's limit of memory in bytes; a huge number when there is none ("max").
func containerLimit(file string) uint64 {
	b, err := os.ReadFile(file)
	if err != nil {
		return math.MaxUint64
	}
	limit, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return math.MaxUint64
	}
	return limit
}
