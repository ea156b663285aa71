package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// process is a child that runs on after the call that started it.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended and its output is read
	err    error         // valid once exited is closed
}

// startProcess starts name as user in dir, with its output going to out.
//
// The goroutine that starts it stays on its thread and waits there: Linux sends the signal of dieWithParent when the
// *thread* that started the child ends, and Go ends idle threads when it likes.
func startProcess(user account, dir string, out io.Writer, name string, args ...string) (*process, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = childEnv(name)
	cmd.SysProcAttr = childAttr(user)
	cmd.WaitDelay = 2 * time.Second // a grandchild may keep the output open
	p := &process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// childEnv is all that PostgreSQL needs: none of Readout's secrets, no PGDATA, messages in English.
func childEnv(program string) []string {
	return []string{"LC_ALL=C", "TZ=UTC", "PATH=" + filepath.Dir(program) + string(os.PathListSeparator) + "/usr/bin:/bin"}
}

func (p *process) signal(sig os.Signal) { _ = p.cmd.Process.Signal(sig) }

// outcome says how the process ended; never nil.
func (p *process) outcome() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

// run runs a program to its end and returns what it wrote; its last lines are part of the error. The program is killed
// when ctx ends.
func run(ctx context.Context, user account, dir, name string, args ...string) (string, error) {
	var out strings.Builder
	p, err := startProcess(user, dir, &out, name, args...)
	if err != nil {
		return "", fmt.Errorf("run %s: %w", filepath.Base(name), err)
	}
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.signal(os.Kill)
		<-p.exited
		return "", fmt.Errorf("run %s: %w", filepath.Base(name), ctx.Err())
	}
	if p.err != nil {
		return "", fmt.Errorf("run %s: %w: %s", filepath.Base(name), p.err, lastLines(out.String()))
	}
	return out.String(), nil
}

// lastLines cuts s to its last lines, about 2 kB.
func lastLines(s string) string {
	const keep = 2000
	if s = strings.TrimSpace(s); len(s) > keep {
		s = s[len(s)-keep:]
		_, s, _ = strings.Cut(s, "\n")
	}
	return s
}
