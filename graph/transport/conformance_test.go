package transport_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/readout-dev/readout/graph/transport"
	"github.com/readout-dev/readout/internal/fault"
)

func TestConformanceOfHTTP(t *testing.T) {
	t.Parallel()
	judge(t, "audit.mjs", setup(t).URL)
}

func TestConformanceOfWebSocket(t *testing.T) {
	t.Parallel()
	w := setup(t, func(ws *transport.WebSocket) {
		ws.Init = func(r *http.Request, payload json.RawMessage) (context.Context, transport.Session, error) {
			if strings.Contains(string(payload), "bad") {
				return nil, transport.Session{}, fault.New(fault.Unauthenticated, "no valid credential")
			}
			return r.Context(), transport.Session{}, nil
		}
	})
	judge(t, "client.mjs", "ws"+strings.TrimPrefix(w.URL, "http"))
}

// judge runs a script of conformance/ against url. Where its packages are not installed the test is skipped, but not in
// continuous integration.
func judge(t *testing.T, script, url string) {
	t.Helper()
	_, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat("conformance/node_modules")
	}
	if err != nil {
		const how = "run `npm ci` in graph/transport/conformance (Node 20 or newer) to have this test run: %v"
		if os.Getenv("CI") != "" {
			t.Fatalf(how, err)
		}
		t.Skipf(how, err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script, url)
	cmd.Dir = "conformance"
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
