package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// certify writes a certificate for 127.0.0.1 and its key into a folder, and returns who trusts it.
func certify(t *testing.T, dir string) (cert, key string, trust *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, cerr := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	secret, kerr := x509.MarshalPKCS8PrivateKey(k)
	if cerr != nil || kerr != nil {
		t.Fatal(cerr, kerr)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM, keyPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	if cerr, kerr := os.WriteFile(cert, certPEM, 0o600), os.WriteFile(key, keyPEM, 0o600); cerr != nil || kerr != nil {
		t.Fatal(cerr, kerr)
	}
	trust = x509.NewCertPool()
	trust.AppendCertsFromPEM(certPEM)
	return cert, key, trust
}

func TestServeSpeaksTLSWithItsOwnCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, trust := certify(t, dir)
	p := serveOn(t, "READOUT_TLS_CERT="+cert, "READOUT_TLS_KEY="+key)
	if !strings.HasPrefix(p.url, "https://") {
		t.Fatalf("it says that it listens at %s", p.url)
	}
	look := func(trust *x509.CertPool, newest uint16) (*http.Response, error) {
		client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: trust, MaxVersion: newest}}}
		defer client.CloseIdleConnections()
		resp, err := client.Get(p.url + "/livez")
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		return resp, err
	}
	resp, err := look(trust, 0)
	if err != nil || resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 || !strings.HasPrefix(resp.Header.Get("Strict-Transport-Security"), "max-age=") {
		t.Errorf("over TLS: %v, %v", resp, err)
	}
	if _, err := look(trust, tls.VersionTLS12); err != nil {
		t.Errorf("TLS 1.2: %v", err)
	}
	if _, err := look(trust, tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is taken")
	}

	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, TLSClientConfig: &tls.Config{RootCAs: trust}}
	address := strings.Replace(p.url, "https", "wss", 1) + "/graphql"
	conn, answer, err := dialer.DialContext(t.Context(), address, http.Header{"Origin": {p.url}})
	if err != nil {
		t.Fatalf("a socket: %v", err)
	}
	_ = answer.Body.Close()
	defer conn.Close()
	if err := conn.WriteJSON(map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer x"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, 4403) {
		t.Errorf("a wrong credential over a socket: %v, want close 4403", err)
	}
	if _, answer, err := dialer.DialContext(t.Context(), address, http.Header{"Origin": {strings.Replace(p.url, "https", "http", 1)}}); err == nil {
		t.Error("a page of plain http opens a socket over TLS")
	} else if answer != nil {
		_ = answer.Body.Close()
	}

	_, _, renewed := certify(t, dir)
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) { // files are looked at once a second
		if _, err := look(renewed, 0); err == nil {
			break
		} else if time.Now().After(until) {
			t.Fatalf("the renewed certificate is not used: %v\n%s", err, p.output())
		}
	}
}

func TestServeRefusesACertificateThatIsNotFitForUse(t *testing.T) {
	t.Parallel()
	cert, key, _ := certify(t, t.TempDir())
	_, foreign, _ := certify(t, t.TempDir())
	_, open, _ := certify(t, t.TempDir())
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ cert, key, want string }{
		{cert, "", "READOUT_TLS_KEY"},
		{"", key, "READOUT_TLS_CERT"},
		{cert, foreign, "does not match"},
		{cert, open, "everybody may read"},
		{cert + ".missing", key, "no such file"},
	} {
		cmd := exec.Command(binary, "serve", "--addr", "127.0.0.1:0", "--data-dir", "/nonexistent")
		cmd.Env = environment("READOUT_VERIFICATION=off", "READOUT_TLS_CERT="+c.cert, "READOUT_TLS_KEY="+c.key)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), c.want) {
			t.Errorf("%q, %q: %v\n%s\nwant exit 2 and %q", c.cert, c.key, err, out, c.want)
		}
	}
}
