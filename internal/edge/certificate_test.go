package edge_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/readout-dev/readout/internal/edge"
)

// issue returns a certificate for a name that holds for an hour from a time on, and its key, both in PEM.
func issue(t *testing.T, name string, from time.Time) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: from.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// files keeps a certificate and its key.
type files struct {
	t         *testing.T
	cert, key string
}

func newFiles(t *testing.T) files {
	dir := t.TempDir()
	return files{t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
}

func (f files) write(cert, key []byte) {
	f.t.Helper()
	for name, text := range map[string][]byte{f.cert: cert, f.key: key} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
}

func TestLoadCertificateSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	now := time.Now().Add(-time.Minute)
	cert, key := issue(t, "a", now)
	other, _ := issue(t, "b", now)
	past, pastKey := issue(t, "c", now.Add(-2*time.Hour))
	future, futureKey := issue(t, "d", now.Add(2*time.Hour))
	for name, c := range map[string]struct {
		cert, key []byte
		mode      os.FileMode
		want      string
	}{
		"good":             {cert, key, 0o600, ""},
		"readable by all":  {cert, key, 0o644, "everybody may read the private key"},
		"another's key":    {other, key, 0o600, "does not match"},
		"expired":          {past, pastKey, 0o600, "has expired"},
		"not yet valid":    {future, futureKey, 0o600, "on only"},
		"no certificate":   {key, key, 0o600, "PEM"},
		"no key":           {cert, nil, 0o600, "PEM"},
		"readable by some": {cert, key, 0o640, ""},
	} {
		f := newFiles(t)
		f.write(c.cert, c.key)
		if err := os.Chmod(f.key, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := edge.LoadCertificate(f.cert, f.key, slog.New(slog.DiscardHandler))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	f := newFiles(t)
	if _, err := edge.LoadCertificate(f.cert, f.key, nil); err == nil || !strings.Contains(err.Error(), f.cert) {
		t.Errorf("missing files: error %v", err)
	}
}

func TestARenewedCertificateIsUsedOnceItIsGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles(t)
		first, firstKey := issue(t, "first.example.com", time.Now().Add(-time.Minute))
		second, secondKey := issue(t, "second.example.com", time.Now())
		f.write(first, firstKey)
		var log bytes.Buffer
		c, err := edge.LoadCertificate(f.cert, f.key, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		config := c.Config()
		name := func() string {
			time.Sleep(2 * time.Second) // on the bubble's clock
			got, err := config.GetCertificate(&tls.ClientHelloInfo{})
			if err != nil {
				t.Fatal(err)
			}
			return got.Leaf.Subject.CommonName
		}
		if got := name(); got != "first.example.com" {
			t.Errorf("at first: %s", got)
		}
		f.write(append(second, '\n'), firstKey) // half of it
		if got := name(); got != "first.example.com" || name() != got || strings.Count(log.String(), "cannot be used") != 1 {
			t.Errorf("while the files do not match: %s, and the log is\n%s", got, log.String())
		}
		f.write(second, append(secondKey, '\n'))
		if got := name(); got != "second.example.com" {
			t.Errorf("renewed: %s\n%s", got, log.String())
		}
		if err := os.Remove(f.key); err != nil {
			t.Fatal(err)
		}
		if got := name(); got != "second.example.com" {
			t.Errorf("without files: %s", got)
		}
	})
}
