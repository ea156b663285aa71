package client_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/readout-dev/readout/client"
	"github.com/readout-dev/readout/internal/testdb"
)

// house is a server that dies and comes back, the network before it, and a project there.
type house struct {
	t        *testing.T
	database string
	setting  []string
	addr     string
	server   *program
	network  *toxiproxy.Proxy
	key      string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	database := testdb.URL(t)
	h := &house{t: t, addr: "127.0.0.1:0", database: database, setting: []string{
		"READOUT_DATABASE_URL=" + database, "READOUT_JWT_SECRET=4pQz8vB1nXw7Rk3Ty6Lc9Jh2Gf5Dm0Sa",
		"READOUT_PACK_EVERY=1s", "READOUT_VERIFICATION=off",
	}}
	h.start()
	h.addr = strings.TrimPrefix(h.server.access.URL, "http://")
	t.Cleanup(func() { h.server.kill() })

	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	h.network = toxiproxy.NewProxy(api, "readout", "127.0.0.1:0", h.addr)
	if err := h.network.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.network.Stop)
	h.settle()
	return h
}

func (h *house) start() {
	h.t.Helper()
	var err error
	if h.server, err = start(h.setting, "serve", "--addr", h.addr); err != nil {
		h.t.Fatal(err)
	}
}

// settle makes a person, a project and its key.
func (h *house) settle() {
	h.t.Helper()
	person := `{"email": "ada@example.org", "password": "correct horse 42 staple"}`
	if status := h.post("/auth/register", "", person); status != http.StatusCreated {
		h.t.Fatalf("register: %d", status)
	}
	c, err := client.New(h.server.access.URL, client.Login(h.server.access.URL, "ada@example.org", "correct horse 42 staple"))
	if err != nil {
		h.t.Fatal(err)
	}
	var project struct{ CreateProject struct{ ID string } }
	var key struct{ CreateKey struct{ Secret string } }
	err = c.Query(h.t.Context(), `mutation { createProject(input: {name: "House"}) { id } }`, nil, &project)
	if err == nil {
		err = c.Query(h.t.Context(), `mutation ($in: CreateKeyInput!) { createKey(input: $in) { secret } }`,
			map[string]any{"in": map[string]any{"projectID": project.CreateProject.ID, "scopes": []string{"INGEST", "READ"}}}, &key)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	h.key = key.CreateKey.Secret
}

// post returns the status; 0: nobody knows what became of it.
func (h *house) post(path, credential, body string) (status int) {
	req, _ := http.NewRequestWithContext(h.t.Context(), http.MethodPost, "http://"+h.addr+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+credential)
	if credential == "" {
		req.Header.Del("Authorization")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// client returns one that comes through the network.
func (h *house) client() *client.Client {
	h.t.Helper()
	return connect(h.t, "http://"+h.network.Listen, client.Key(h.key))
}

// cut has each connection cut when so many more bytes have come through, in the midst of what is sent then.
func (h *house) cut(bytes int) {
	h.t.Helper()
	toxic := fmt.Sprintf(`{"name": "cut", "type": "limit_data", "stream": "downstream", "attributes": {"bytes": %d}}`, bytes)
	if _, err := h.network.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) mend() {
	h.t.Helper()
	if err := h.network.Toxics.RemoveToxic(h.t.Context(), "cut"); err != nil {
		h.t.Fatal(err)
	}
}
