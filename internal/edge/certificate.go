package edge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"
)

// lookAgain is how often files are looked at for changes, at most: a handshake costs more than the look.
const lookAgain = time.Second

// Certificate is a certificate and its private key, from files that are read again when they change, so that one is renewed
// without a restart. Safe for concurrent use.
type Certificate struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	state  string    // of the files that were read last
	looked time.Time // when
}

// LoadCertificate reads a certificate, with those of its issuers behind it, and its key, both in PEM. The error says what is
// wrong: a file is missing, they do not belong together, the certificate does not hold now, or everybody may read the key.
// log is told of what is wrong later, when the last good one goes on being used.
func LoadCertificate(cert, key string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{cert: cert, key: key, log: log, looked: time.Now()}
	var err error
	if c.state, err = c.look(); err != nil {
		return nil, err
	}
	c.loaded, err = c.read()
	return c, err
}

// Config returns the settings of a server with this certificate: TLS 1.2 or newer, HTTP/2 and HTTP/1.1.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}
}

// current returns what is in the files, if that is good, else what was.
func (c *Certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookAgain {
		return c.loaded
	}
	c.looked = time.Now()
	state, err := c.look()
	if err == nil && state == c.state {
		return c.loaded
	}
	if err == nil {
		var renewed *tls.Certificate
		if renewed, err = c.read(); err == nil {
			c.loaded, c.state = renewed, state
			c.log.Info("the certificate was read anew", "file", c.cert, "until", renewed.Leaf.NotAfter)
		}
	}
	if err != nil && state != c.state {
		c.state = state // told once; the two files may be exchanged one after the other
		c.log.Warn("the certificate has changed and cannot be used: the last one stays", "error", err)
	}
	return c.loaded
}

// look returns what changes when the files do. An error leaves it empty.
func (c *Certificate) look() (string, error) {
	state := ""
	for _, name := range []string{c.cert, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return "", err
		}
		if name == c.key && runtime.GOOS != "windows" && info.Mode().Perm()&0o004 != 0 {
			return "", fmt.Errorf("everybody may read the private key in %s: chmod 600 it", name)
		}
		state += fmt.Sprintln(info.ModTime().UnixNano(), info.Size())
	}
	return state, nil
}

func (c *Certificate) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, fmt.Errorf("%s with the key in %s: %w", c.cert, c.key, err)
	}
	switch now := time.Now(); {
	case pair.Leaf == nil:
		return nil, errors.New("the certificate cannot be read") // of GODEBUG=x509keypairleaf=0
	case now.After(pair.Leaf.NotAfter):
		return nil, fmt.Errorf("the certificate in %s has expired, on %s", c.cert, pair.Leaf.NotAfter.Format(time.DateTime))
	case now.Before(pair.Leaf.NotBefore):
		return nil, fmt.Errorf("the certificate in %s holds from %s on only", c.cert, pair.Leaf.NotBefore.Format(time.DateTime))
	}
	return &pair, nil
}
