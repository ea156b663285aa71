package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent"
	"github.com/gorilla/websocket"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db/intercept"
)

// live is a client with one live query.
type liveClient struct {
	t    *testing.T
	conn *websocket.Conn
}

// result is what a live query was answered, or how it ended.
type result struct {
	Data       map[string]any
	Patch      json.RawMessage
	Revision   int
	Errors     []struct{ Path []any }
	Extensions map[string]any
	raw        string
	code       string // of an error message; "nothing": none came
}

// live subscribes to a query, as somebody.
func (w *world) live(who, query string) *liveClient {
	w.t.Helper()
	return w.liveWith(who, map[string]any{"query": "subscription { live(maxRate: 10) " + query + " }"})
}

func (w *world) liveWith(who string, request map[string]any) *liveClient {
	w.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, resp, err := dialer.DialContext(w.t.Context(), strings.Replace(w.url, "http", "ws", 1), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	w.t.Cleanup(func() { conn.Close() })
	for _, m := range []map[string]any{
		{"type": "connection_init", "payload": map[string]string{"authorization": "Bearer " + w.who[who]}},
		{"type": "subscribe", "id": "1", "payload": request},
	} {
		if err := conn.WriteJSON(m); err != nil {
			w.t.Fatal(err)
		}
		if m["type"] == "connection_init" {
			var ack struct{ Type string }
			if err := conn.ReadJSON(&ack); err != nil || ack.Type != "connection_ack" {
				w.t.Fatalf("%+v, %v", ack, err)
			}
		}
	}
	return &liveClient{w.t, conn}
}

// next returns the next result, waiting at most ten seconds.
func (c *liveClient) next() result {
	c.t.Helper()
	r := c.within(10 * time.Second)
	if r.code == "nothing" {
		c.t.Fatal("no answer")
	}
	return r
}

// within returns the next result, if one comes before so long. After one that did not come there is none.
func (c *liveClient) within(d time.Duration) (r result) {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(d))
	var m struct {
		Type    string
		Payload json.RawMessage
	}
	err := c.conn.ReadJSON(&m)
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return result{code: fmt.Sprint(closed.Code), raw: closed.Text}
	case err != nil:
		return result{code: "nothing"}
	case m.Type == "error":
		var errs []struct{ Extensions struct{ Code string } }
		if err := json.Unmarshal(m.Payload, &errs); err != nil {
			c.t.Fatal(err)
		}
		return result{code: errs[0].Extensions.Code}
	case m.Type != "next":
		return result{code: m.Type}
	}
	if err := json.Unmarshal(m.Payload, &r); err != nil {
		c.t.Fatal(err)
	}
	r.raw = string(m.Payload)
	return r
}

func (c *liveClient) want(data string) {
	c.t.Helper()
	if r := c.next(); r.raw != `{"data":{"live":`+data+`}}` {
		c.t.Errorf("got  %s %s\nwant %s", r.raw, r.code, data)
	}
}

// queries counts the statements for entities of a type that others than the program ask for.
func (w *world) queries(typ string) *atomic.Int64 {
	var n atomic.Int64
	w.client.Intercept(ent.TraverseFunc(func(ctx context.Context, q ent.Query) error {
		asked, err := intercept.NewQuery(q)
		if p := auth.FromContext(ctx); err == nil && asked.Type() == typ && p != nil && p.Kind != auth.Program {
			n.Add(1)
		}
		return nil
	}))
	return &n
}

func TestLiveQueryFollowsEntities(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.live("viewer", `{ devices { edges { node { name } } } }`)
	c.want(`{"devices":{"edges":[{"node":{"name":"boiler"}}]}}`)
	w.ask("editor", `mutation { createDevice(input: {projectID: `+id(w.ours.project)+`, name: "pump"}) { id } }`)
	c.want(`{"devices":{"edges":[{"node":{"name":"boiler"}},{"node":{"name":"pump"}}]}}`)
	w.ask("editor", `mutation { deleteDevice(id: `+id(w.ours.device)+`) }`)
	c.want(`{"devices":{"edges":[{"node":{"name":"pump"}}]}}`)
}

func TestLiveQueryFollowsReadingsHoweverTheyAreRead(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct{ query, first, then string }{
		"latest": {
			`{ latest(series: {}) { value } }`, `{"latest":[{"value":1}]}`, `{"latest":[{"value":2}]}`,
		},
		"of a series": {
			`{ series { edges { node { latest { value } } } } }`,
			`{"series":{"edges":[{"node":{"latest":{"value":1}}}]}}`, `{"series":{"edges":[{"node":{"latest":{"value":2}}}]}}`,
		},
		"readings": {
			`{ readings(series: {}) { nodes { value } } }`, `{"readings":{"nodes":[{"value":1}]}}`, `{"readings":{"nodes":[{"value":1},{"value":2}]}}`,
		},
		"decimated": {
			`{ series { edges { node { readings(maxPoints: 10) { nodes { value } } } } } }`,
			`{"series":{"edges":[{"node":{"readings":{"nodes":[{"value":1}]}}}]}}`,
			`{"series":{"edges":[{"node":{"readings":{"nodes":[{"value":1},{"value":2}]}}}]}}`,
		},
		"statistics": {
			`{ statistics(series: {}` + past + `) { total { sum } } }`, `{"statistics":[{"total":{"sum":1}}]}`, `{"statistics":[{"total":{"sum":3}}]}`,
		},
		"statistics of a series": {
			`{ series { edges { node { statistics(` + past[2:] + `) { count } } } } }`,
			`{"series":{"edges":[{"node":{"statistics":[{"count":1}]}}]}}`, `{"series":{"edges":[{"node":{"statistics":[{"count":2}]}}]}}`,
		},
		"heatmap": {
			`{ heatmap(series: {}` + past + `) { statistic { count } } }`,
			`{"heatmap":[{"statistic":{"count":1}}]}`, `{"heatmap":[{"statistic":{"count":2}}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.send(w.ours.series, 1)
			c := w.live("viewer", of.query)
			c.want(of.first)
			w.send(w.ours.series, 2)
			c.want(of.then)
		})
	}
}

// past is a range that holds what is sent: the clock may be behind it.
const past = `, range: {from: "2026-11-01T00:00:00Z", to: "2026-11-01T01:00:00Z"}`

func TestLiveQueryFollowsBothSeriesOfACorrelation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	other := w.more("humidity", nil)
	c := w.live("viewer", fmt.Sprintf(`{ correlation(x: %d, y: %d, step: "PT1S"%s) { pairs } }`, w.ours.series, other, past))
	c.want(`{"correlation":[{"pairs":0}]}`)
	w.send(w.ours.series, 1)
	w.send(other, 1)
	c.want(`{"correlation":[{"pairs":1}]}`)
}

func TestLiveQueryFindsSeriesThatComeLater(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.live("viewer", `{ latest(series: {}) { value } }`)
	c.want(`{"latest":[]}`)
	a := w.ask("editor", fmt.Sprintf(`mutation { createSeries(input: {deviceID: %d, metric: "humidity"}) { id } }`, w.ours.device))
	var later int64
	_, _ = fmt.Sscan(text(a.at("createSeries", "id")), &later)
	w.send(later, 3)
	c.want(`{"latest":[{"value":3}]}`)
}

func TestLiveQueryFollowsDeletions(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1, 2)
	c := w.live("viewer", `{ latest(series: {}) { value } }`)
	c.want(`{"latest":[{"value":2}]}`)
	w.ask("editor", fmt.Sprintf(`mutation { deleteReadings(series: %d, range: {from: "2026-11-01T00:00:02Z"}) { id } }`, w.ours.series))
	c.want(`{"latest":[{"value":1}]}`)
}

func TestLiveQueryIsNotExecutedForChangesOfOthers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	other, silent := w.more("humidity", nil), w.more("pressure", nil)
	w.send(other, 1)
	n := w.queries("Series")
	c := w.live("viewer", `{ latest(series: {metric: "temperature"}) { value } }`)
	c.want(`{"latest":[]}`)
	executed := n.Load()
	w.send(other, 2)
	w.send(silent, 1) // strange to the hub
	w.send(w.theirs.series, 1)
	w.ask("stranger", `mutation { updateDevice(id: `+id(w.theirs.device)+`, input: {description: "new"}) { id } }`)
	w.ask("owner", `mutation { createKey(input: {projectID: `+id(w.ours.project)+`}) { secret } }`)
	if r := c.within(300 * time.Millisecond); r.code != "nothing" {
		t.Errorf("got %s", r.raw)
	}
	if more := n.Load() - executed; more > 0 {
		t.Errorf("%d executions", more)
	}
}

func TestLiveQueryDoesNotRepeatItself(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 10)
	n := w.queries("Series")
	c := w.live("viewer", `{ latest(series: {}) { value } }`)
	c.want(`{"latest":[{"value":10}]}`)
	for name, change := range map[string]func(){
		"a late reading": func() { w.send(w.ours.series, 1) },
		"an entity": func() {
			w.ask("editor", `mutation { updateDevice(id: `+id(w.ours.device)+`, input: {description: "new"}) { id } }`)
		},
	} {
		before, began := n.Load(), time.Now()
		// More than once: one that comes while the last execution still runs may be in its answer.
		for change(); n.Load() == before; change() {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%s: it is not executed", name)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	w.send(w.ours.series, 11)
	c.want(`{"latest":[{"value":11}]}`)
}

func TestLiveQueryKeepsToItsRate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 0)
	c := w.liveWith("viewer", map[string]any{"query": `subscription($rate: Float) { live(maxRate: $rate) { latest(series: {}) { value } } }`, "variables": map[string]any{"rate": 4}})
	began := time.Now()
	var last any
	for i, n := 1, 0; last != float64(99); n++ {
		r := c.next()
		last = r.Data["live"].(map[string]any)["latest"].([]any)[0].(map[string]any)["value"]
		for range 33 {
			if i < 100 {
				w.send(w.ours.series, i)
				i++
			}
		}
		if least := time.Duration(n) * 250 * time.Millisecond; time.Since(began) < least-50*time.Millisecond {
			t.Errorf("answer %d after %v", n, time.Since(began))
		}
		if n > 5 {
			t.Fatalf("%d answers", n)
		}
	}
}

func TestLiveQueryRefusesRatesThatThereAreNot(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, rate := range []string{"0", "0.009", "10.5", "-1", "1e99"} {
		c := w.liveWith("viewer", map[string]any{"query": `subscription { live(maxRate: ` + rate + `) { me { name } } }`})
		if r := c.next(); r.code != "BAD_USER_INPUT" {
			t.Errorf("%s: got %s %s", rate, r.code, r.raw)
		}
	}
	for _, rate := range []string{"0.01", "10", "null"} {
		c := w.liveWith("viewer", map[string]any{"query": `subscription { live(maxRate: ` + rate + `) { me { name } } }`})
		c.want(`{"me":{"name":"viewer"}}`)
	}
}

func TestLiveQueryHasFragmentsAliasesAndVariables(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1)
	c := w.liveWith("viewer", map[string]any{
		"query": `subscription S($where: SeriesWhereInput!, $not: Boolean!) { ...On }
			fragment On on Subscription { mine: live(maxRate: 10) { ...Newest me @skip(if: $not) { name } type: __typename } }
			fragment Newest on Query { newest: latest(series: $where) { value } }`,
		"variables":     map[string]any{"where": map[string]any{"metric": "temperature"}, "not": true},
		"operationName": "S",
	})
	if r := c.next(); r.raw != `{"data":{"mine":{"newest":[{"value":1}],"type":"Query"}}}` {
		t.Errorf("got %s %s", r.raw, r.code)
	}
}

func TestLiveQueryIsCountedAsAQuery(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var names strings.Builder
	for i := range 51 {
		fmt.Fprintf(&names, "a%d: me { id } ", i)
	}
	for name, of := range map[string]struct{ query, code string }{
		"cost":       {`{ devices(first: 1000) { edges { node { series(first: 1000) { edges { node { id } } } } } } }`, "TOO_LARGE"},
		"roots":      {`{ ` + names.String() + `}`, "TOO_LARGE"},
		"pages":      {`{ devices(first: 1001) { edges { node { id } } } }`, "BAD_USER_INPUT"},
		"nested":     {`{ live { me { id } } }`, "GRAPHQL_VALIDATION_FAILED"},
		"mutation":   {`{ deleteDevice(id: 1) }`, "GRAPHQL_VALIDATION_FAILED"},
		"directives": {`@skip(if: false) { me { id } }`, "BAD_USER_INPUT"},
		"two":        {`{ me { id } } other: live { me { id } }`, "BAD_USER_INPUT"},
	} {
		if r := w.live("viewer", of.query).next(); r.code != of.code {
			t.Errorf("%s: got %s %s, want %s", name, r.code, r.raw, of.code)
		}
	}
	const deep = `{ projects(first: 1) { edges { node { devices(first: 1) { edges { node { series(first: 1) { edges { node { device {
		series(first: 1) { edges { node { device { name } } } } } } } } } } } } } } }`
	if a, r := w.ask("viewer", deep), w.live("viewer", deep).next(); a.code() != ok || r.code != "" {
		t.Errorf("as deep as may be: got %s as a query, %s live", a.code(), r.code)
	}
}

func TestErrorsOfALiveQueryHaveItsPath(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.live("viewer", `{ mine: me { name } node(id: 999) { id } }`)
	r := c.next()
	if len(r.Errors) != 1 || fmt.Sprint(r.Errors[0].Path) != "[live node]" || r.Data["live"] == nil {
		t.Errorf("got %s", r.raw)
	}
	c = w.live("viewer", `{ latest(series: {metricHasPrefix: "t", labelled: [{label: "a", matches: "("}]}) { value } }`)
	if r = c.next(); len(r.Errors) != 1 || fmt.Sprint(r.Errors[0].Path[:2]) != "[live latest]" || r.Data != nil {
		t.Errorf("where the field cannot be null: got %s", r.raw)
	}
}

func TestLiveQueryShowsWhatItsPrincipalMaySee(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1)
	viewer, stranger := w.live("viewer", `{ latest(series: {}) { value } }`), w.live("stranger", `{ latest(series: {}) { value } }`)
	viewer.want(`{"latest":[{"value":1}]}`)
	stranger.want(`{"latest":[]}`)
	if a := w.ask("owner", `mutation { createMember(input: {projectID: `+id(w.ours.project)+`, email: "stranger@example.org", role: VIEWER}) { id } }`); a.code() != ok {
		t.Fatal(a.Body)
	}
	stranger.want(`{"latest":[{"value":1}]}`)
	w.send(w.ours.series, 2)
	viewer.want(`{"latest":[{"value":2}]}`)
	stranger.want(`{"latest":[{"value":2}]}`)
	w.ask("owner", `mutation { deleteMember(id: `+id(w.ours.member)+`) }`)
	if r := viewer.next(); r.raw != `{"data":{"live":{"latest":[]}}}` && r.code != "4403" {
		t.Errorf("who is no member any more: got %s %s", r.raw, r.code)
	}
}

func TestLiveQueryOfARevokedKeyEnds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1)
	c := w.live("projectKey", `{ latest(series: {}) { value } }`)
	c.want(`{"latest":[{"value":1}]}`)
	w.ask("owner", `mutation { deleteKey(id: `+id(w.keys["projectKey"])+`) }`)
	for began := time.Now(); ; {
		w.send(w.ours.series, int(time.Since(began)/time.Millisecond)+2)
		if r := c.next(); r.code == "4403" {
			break
		}
		if time.Since(began) > 2*time.Second {
			t.Fatal("it goes on")
		}
	}
}

func TestLiveQueryIsInTheSchemaThatIsServed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const asked = `{ __schema { subscriptionType { fields { name type { ofType { name } } args { name defaultValue } } } } }`
	if a := w.ask("viewer", asked); !strings.Contains(a.Body, `{"name":"live","type":{"ofType":{"name":"Query"}},"args":[{"name":"maxRate","defaultValue":"1"}]}`) {
		t.Errorf("got %s", a.Body)
	}
	w.live("viewer", `{ __type(name: "Gap") { name } }`).want(`{"__type":{"name":"Gap"}}`)
}

func TestLiveQuerySaysHowAndWhenItWasAnswered(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 1)
	c := w.liveWith("viewer", map[string]any{
		"query":      `subscription { mine: live { statistics(series: {}` + past + `) { total { count } } } }`,
		"extensions": map[string]any{"explain": true, "timing": true},
	})
	c.next()
	before := time.Now()
	w.send(w.ours.series, 2)
	r := c.next()
	how, _ := r.Extensions["statistics"].([]any)
	if len(how) != 1 || fmt.Sprint(how[0].(map[string]any)["path"]) != "[mine statistics]" {
		t.Errorf("how: got %v", how)
	}
	when, _ := r.Extensions["timing"].(map[string]any)
	for _, name := range []string{"committedAt", "publishedAt", "sentAt"} {
		at, err := time.Parse(time.RFC3339, fmt.Sprint(when[name]))
		if err != nil || at.Sub(before).Abs() > 5*time.Second {
			t.Errorf("%s: got %v", name, when[name])
		}
	}
}

// A client applies what it gets to what it has, and has the whole answer then.
func TestLiveQuerySendsPatches(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var sent []int
	for i := range 30 {
		sent = append(sent, i)
	}
	w.send(w.ours.series, sent...)
	request := map[string]any{
		"query":      `subscription { live(maxRate: 10) { readings(series: {}, range: {from: "2026-11-01T00:00:00Z"}) { nodes { time value } } } }`,
		"extensions": map[string]any{"patch": true},
	}
	a := w.liveWith("viewer", request)
	if r := a.next(); r.Revision != 1 || r.Data == nil || r.Patch != nil {
		t.Fatalf("first: got %s", r.raw)
	}
	w.send(w.ours.series, 30)
	if r := a.next(); r.Revision != 2 || r.Data != nil ||
		string(r.Patch) != `[{"op":"add","path":"/live/readings/nodes/30","value":{"time":"2026-11-01T00:00:30Z","value":30}}]` {
		t.Fatalf("second: got %s", r.raw)
	}
	b := w.liveWith("viewer", request) // shares the execution
	whole := b.next()
	if nodes := whole.Data["live"].(map[string]any)["readings"].(map[string]any)["nodes"].([]any); whole.Revision != 1 || len(nodes) != 31 {
		t.Fatalf("who comes: got %s", whole.raw)
	}
	w.send(w.ours.series, 31)
	for _, c := range []*liveClient{a, b} {
		if r := c.next(); r.Revision != 1 || r.Data == nil { // for both of them
			t.Errorf("third: got %s", r.raw)
		}
	}
	w.send(w.ours.series, 32)
	for _, c := range []*liveClient{a, b} {
		if r := c.next(); r.Revision != 2 || r.Patch == nil {
			t.Errorf("fourth: got %s", r.raw)
		}
	}
	w.ask("editor", fmt.Sprintf(`mutation { deleteReadings(series: %d, range: {from: "2026-11-01T00:00:00Z"}) { id } }`, w.ours.series))
	if r := a.next(); r.Revision != 1 || r.Data == nil {
		t.Errorf("where a patch would be longer than the whole: got %s", r.raw)
	}
}

func TestLiveQueryIsExecutedOnceForAllWhoShareIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.send(w.ours.series, 0)
	n := w.queries("Series")
	clients := []*liveClient{w.live("viewer", `{ latest(series: {}) { value } }`)}
	clients[0].want(`{"latest":[{"value":0}]}`)
	once := n.Load()
	for range 4 {
		c := w.live("viewer", `{ latest(series: {}) { value } }`)
		c.want(`{"latest":[{"value":0}]}`)
		clients = append(clients, c)
	}
	w.send(w.ours.series, 1)
	for _, c := range clients {
		c.want(`{"latest":[{"value":1}]}`)
	}
	if got := n.Load(); once == 0 || got != 2*once {
		t.Errorf("%d queries for two answers to five, one takes %d", got, once)
	}
}

func TestLiveQueryDoesNotTellOfFailuresThatPass(t *testing.T) {
	t.Parallel()
	w := setup(t)
	g := w.behindGate(1)
	w.minutes(w.ours.series, 0)
	const query = `{ statistics(` + hourly + `) { total { count } } }`
	c := w.live("viewer", query)
	c.want(`{"statistics":[{"total":{"count":1}}]}`)
	g.hold(t)
	w.minutes(w.ours.series, 1)
	if r := c.within(300 * time.Millisecond); r.code != "nothing" { // an answer was due after a tenth of a second
		t.Errorf("got %s", r.raw)
	}
	late := w.live("stranger", query) // for whom there was no answer yet
	if r := late.next(); len(r.Errors) != 1 || r.Data != nil {
		t.Errorf("the first: got %s", r.raw)
	}
	close(g.opened)
	late.want(`{"statistics":[{"total":{"count":0}}]}`)
	c = w.live("viewer", query)
	for r := c.next(); r.raw != `{"data":{"live":{"statistics":[{"total":{"count":2}}]}}}`; r = c.next() {
		if r.raw != `{"data":{"live":{"statistics":[{"total":{"count":1}}]}}}` {
			t.Fatalf("got %s %s", r.raw, r.code)
		}
	}
}
