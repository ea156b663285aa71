package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// folder is where the real program is, and what it keeps.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("/tmp", "readout-client-"); err != nil {
		panic(err)
	}
	_ = os.Chmod(folder, 0o755) // as root, PostgreSQL runs as somebody else, who must get through
	code := m.Run()
	endDemo()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// binary is the real program, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(folder, "readout")
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/readout").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// program is a running server.
type program struct {
	*exec.Cmd
	access access
	ended  chan struct{}

	mu    sync.Mutex
	said  bytes.Buffer
	ready chan struct{} // closed when it has said how to get at it
}

// access is how to get at a server: what the demo prints. Of another only the URL is known.
type access struct{ URL, Email, Password, ProjectKey string }

// start starts the program and waits until it answers.
func start(environment []string, args ...string) (*program, error) {
	path, err := binary()
	if err != nil {
		return nil, err
	}
	p := &program{Cmd: exec.Command(path, args...), ended: make(chan struct{}), ready: make(chan struct{})}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "READOUT_") {
			p.Env = append(p.Env, e)
		}
	}
	p.Env = append(p.Env, environment...)
	p.Stdout, p.Stderr = p, p
	if err := p.Start(); err != nil {
		return nil, err
	}
	go func() { defer close(p.ended); _ = p.Wait() }()
	select {
	case <-p.ready:
		return p, nil
	case <-p.ended:
		err = errors.New("the program ended")
	case <-time.After(time.Minute):
		err = errors.New("the program is not ready")
	}
	p.kill()
	return nil, fmt.Errorf("%w\n%s", err, p.said.String())
}

// Write takes what the program says.
func (p *program) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said.Write(text)
	for line := range bytes.Lines(text) {
		var said access
		if p.access.URL == "" && json.Unmarshal(line, &said) == nil && said.URL != "" {
			p.access = said
			close(p.ready)
		}
	}
	return len(text), nil
}

// kill is kill -9.
func (p *program) kill() {
	_ = p.Process.Kill()
	<-p.ended
}

// greenhouse is a demo that the examples share.
var greenhouse *program

// demo returns how to get at a demo that is running.
func demo() (url, key string) {
	if greenhouse == nil {
		var err error
		greenhouse, err = start(nil, "demo", "--json", "--days", "0", "--every", "200ms", "--addr", "127.0.0.1:0", "--data-dir", folder)
		if err != nil {
			panic(err)
		}
	}
	return greenhouse.access.URL, greenhouse.access.ProjectKey
}

// endDemo stops the demo in good order, with its database.
func endDemo() {
	if greenhouse != nil {
		_ = greenhouse.Process.Signal(os.Interrupt)
		<-greenhouse.ended
	}
}
