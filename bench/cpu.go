package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc: USER_HZ, which is 100 on every Linux.
const tick = 10 * time.Millisecond

// postgresCPU returns the processor time that the PostgreSQL of a data folder has taken until now: its postmaster and its
// processes, those that have ended too. It needs /proc.
func postgresCPU(data string) (time.Duration, error) {
	postmaster, err := postmasterOf(data)
	if err != nil {
		return 0, err
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		return 0, errors.Join(errors.New("there is no /proc to read processor times from"), err)
	}
	var total time.Duration
	for _, file := range stats {
		p, err := readStat(file)
		if err != nil {
			continue // ended meanwhile
		}
		if p.pid == postmaster {
			total += p.own + p.ended
		}
		if p.parent == postmaster {
			total += p.own
		}
	}
	return total, nil
}

func postmasterOf(data string) (pid int, err error) {
	text, err := os.ReadFile(filepath.Join(data, "postgres", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(strings.TrimSpace(line))
}

// processStat is what /proc/PID/stat says of a process: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
type processStat struct {
	pid, parent int
	own         time.Duration // user and system
	ended       time.Duration // the same of children that have ended
}

func readStat(file string) (p processStat, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return p, err
	}
	// The name, in parentheses, may hold anything; what follows it begins with the third field.
	before, _, _ := strings.Cut(string(text), " ")
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 15 {
		return p, fmt.Errorf("%s is short", file)
	}
	numbers := make([]int, 0, 6)
	for _, s := range []string{before, fields[1], fields[11], fields[12], fields[13], fields[14]} {
		n, err := strconv.Atoi(s)
		if err != nil {
			return p, err
		}
		numbers = append(numbers, n)
	}
	p.pid, p.parent = numbers[0], numbers[1]
	p.own = time.Duration(numbers[2]+numbers[3]) * tick
	p.ended = time.Duration(numbers[4]+numbers[5]) * tick
	return p, nil
}

// ownCPU returns the processor time of this process until now.
func ownCPU() (time.Duration, error) { return processCPU(os.Getpid()) }

// processCPU returns the processor time of a process until now, all its threads together.
func processCPU(pid int) (time.Duration, error) {
	p, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	return p.own, err
}

// peakMemory returns the most memory that a process has had, in bytes; residentMemory what it has now.
func peakMemory(pid int) (int64, error)     { return memoryOf(pid, "VmHWM:") }
func residentMemory(pid int) (int64, error) { return memoryOf(pid, "VmRSS:") }

func memoryOf(pid int, what string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, what); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("the process does not say how much memory it has had")
}
