package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// promised is how soon the demo says that it is ready.
const promised = 30 * time.Second

// runDemo starts the demo on empty folders.
func runDemo(ctx context.Context, quick bool) (r result, err error) {
	rounds := 3
	if quick {
		rounds = 1
	}
	b := &bed{}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.build(); err != nil {
		return r, err
	}
	r.header = []string{"start", "ready after s"}
	var slowest time.Duration
	for round := range rounds {
		took, err := startDemo(ctx, b.binary, filepath.Join(b.dir, fmt.Sprint("data", round)))
		if err != nil {
			return r, err
		}
		slowest = max(slowest, took)
		r.rows = append(r.rows, []string{fmt.Sprint(round + 1), fmt.Sprintf("%.1f", took.Seconds())})
	}
	r.ratio = promised.Seconds() / slowest.Seconds()
	r.keys = []string{fmt.Sprintf("ready_s=%.1f", slowest.Seconds())}
	return r, nil
}

func startDemo(ctx context.Context, binary, dir string) (time.Duration, error) {
	began := time.Now()
	cmd := exec.CommandContext(ctx, binary, "demo", "--json", "--addr", "127.0.0.1:0", "--data-dir", dir)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_, err = bufio.NewReader(stdout).ReadString('\n')
	took := time.Since(began)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	return took, errors.Join(err, cmd.Wait())
}
