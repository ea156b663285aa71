package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/reading"
)

// status subscribes to the states of devices as the viewer.
func (w *world) status(arguments string) *liveClient {
	w.t.Helper()
	return w.liveWith("viewer", map[string]any{
		"query": `subscription { deviceStatus(` + arguments + `) { state lastSeen device { name description } } }`,
	})
}

// states returns what the next event says of devices: "boiler ONLINE".
func (c *liveClient) states() (states []string) {
	c.t.Helper()
	r := c.next()
	list, isList := r.Data["deviceStatus"].([]any)
	if !isList {
		c.t.Fatalf("got %s %s", r.raw, r.code)
	}
	for _, s := range list {
		s := s.(map[string]any)
		states = append(states, text(s["device"].(map[string]any)["name"])+" "+text(s["state"]))
	}
	return states
}

func (c *liveClient) wantStates(want ...string) {
	c.t.Helper()
	if got := c.states(); !slices.Equal(got, want) {
		c.t.Fatalf("got %v, want %v", got, want)
	}
}

// sendNow stores a reading of a series at this moment.
func (w *world) sendNow(series int64) {
	w.t.Helper()
	_, err := w.journal.Append(w.t.Context(), w.ours.project, []reading.Reading{{Series: series, Time: time.Now().UnixMicro(), Value: 1}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// device makes a device with one series in our project.
func (w *world) device(name string) (device, series int64) {
	ctx := auth.NewContext(w.t.Context(), auth.System())
	d := w.client.Device.Create().SetProjectID(w.ours.project).SetName(name).SaveX(ctx)
	return d.ID, w.client.Series.Create().SetProjectID(w.ours.project).SetDevice(d).SetMetric("m").SaveX(ctx).ID
}

func TestDeviceIsOnlineWhileItSends(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, pump := w.device("pump")
	w.device("silent")
	w.sendNow(pump)
	c := w.status(`silentAfter: "PT1S"`)
	first := c.states()
	if !slices.Equal(first, []string{"boiler OFFLINE", "pump ONLINE", "silent OFFLINE"}) &&
		!slices.Equal(first, []string{"boiler OFFLINE", "pump OFFLINE", "silent OFFLINE"}) { // on a slow machine
		t.Fatalf("at first: %v", first)
	}
	if first[1] == "pump ONLINE" {
		c.wantStates("pump OFFLINE")
	}
	sent := time.Now()
	w.sendNow(w.ours.series)
	c.wantStates("boiler ONLINE")
	for range 5 { // goes on and on
		time.Sleep(300 * time.Millisecond)
		w.sendNow(w.ours.series)
	}
	c.wantStates("boiler OFFLINE")
	if after := time.Since(sent); after < 2400*time.Millisecond || after > 8*time.Second {
		t.Errorf("it fell silent after %v, want 1 s after its last reading at 1.5 s", after)
	}
	// Who comes later gets the state of all.
	c = w.status(`silentAfter: "PT1S"`)
	c.wantStates("boiler OFFLINE", "pump OFFLINE", "silent OFFLINE")
}

func TestDeviceIsSeenWhenItsReadingArrives(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, pump := w.device("pump")
	w.send(w.ours.series, 1) // of the first of November
	c := w.status(`silentAfter: "P30D", where: {nameIn: ["boiler", "pump"]}`)
	raw := c.next().raw
	if !strings.Contains(raw, `"lastSeen":"2026-11-01T00:00:01Z"`) || !strings.Contains(raw, `"lastSeen":null`) {
		t.Errorf("at first: %s", raw)
	}
	w.send(pump, 1) // late, but it arrives now
	list, _ := c.next().Data["deviceStatus"].([]any)
	at, err := time.Parse(time.RFC3339Nano, text(list[0].(map[string]any)["lastSeen"]))
	if age := time.Since(at); err != nil || age > time.Minute {
		t.Errorf("got %v", list)
	}
}

// A reading from the future does not keep its device online until then.
func TestDeviceWhoseClockIsAheadFallsSilent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, err := w.journal.Append(t.Context(), w.ours.project, []reading.Reading{
		{Series: w.ours.series, Time: time.Now().Add(time.Hour).UnixMicro(), Value: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := w.status(`silentAfter: "PT1S"`)
	c.wantStates("boiler ONLINE")
	c.wantStates("boiler OFFLINE")
}

func TestDevicesThatComeAndGo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := auth.NewContext(t.Context(), auth.System())
	c := w.status(`where: {descriptionHasPrefix: "hot"}, silentAfter: "PT1M"`)
	c.wantStates()
	w.client.Device.UpdateOneID(w.ours.device).SetDescription("hot").ExecX(ctx)
	c.wantStates("boiler OFFLINE")
	w.sendNow(w.ours.series)
	c.wantStates("boiler ONLINE")

	d := w.client.Device.Create().SetProjectID(w.ours.project).SetName("new").SetDescription("hot, too").SaveX(ctx)
	c.wantStates("new OFFLINE")
	s := w.client.Series.Create().SetProjectID(w.ours.project).SetDevice(d).SetMetric("m").SaveX(ctx)
	w.sendNow(s.ID)
	c.wantStates("new ONLINE")

	// One that is gone, or does not match any more, is not told of.
	w.ask("editor", fmt.Sprintf(`mutation { deleteDevice(id: %d) }`, d.ID))
	w.client.Device.UpdateOneID(w.ours.device).SetDescription("cold").ExecX(ctx)
	time.Sleep(1500 * time.Millisecond) // devices are looked for once a second
	w.sendNow(w.ours.series)
	w.client.Device.UpdateOneID(w.ours.device).SetDescription("hot").ExecX(ctx)
	c.wantStates("boiler ONLINE")
	c = w.status(`where: {descriptionHasPrefix: "hot"}, silentAfter: "PT1M"`)
	c.wantStates("boiler ONLINE")
}

// A series that comes to exist with its first reading, past ent, is told of by who made it.
func TestDeviceSendsByASeriesThatIsNew(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.status(`silentAfter: "PT5M"`)
	c.wantStates("boiler OFFLINE")
	ctx := auth.NewContext(t.Context(), auth.System())
	s := w.client.Series.Create().SetProjectID(w.ours.project).SetDeviceID(w.ours.device).SetMetric("flow").SaveX(ctx)
	w.sendNow(s.ID)
	c.wantStates("boiler ONLINE")
}

func TestDeviceStatusRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for arguments, want := range map[string]string{
		`silentAfter: "PT0.5S"`: "BAD_USER_INPUT",
		`silentAfter: "P31D"`:   "BAD_USER_INPUT",
		`silentAfter: "P1M"`:    "BAD_USER_INPUT",
		`where: {not: {}}`:      "BAD_USER_INPUT",
		`where: {}`:             "",
		`silentAfter: "P30D"`:   "",
	} {
		if r := w.status(arguments).next(); r.code != want {
			t.Errorf("%s: %s %s, want %q", arguments, r.code, r.raw, want)
		}
	}
	_, err := w.pool.Exec(t.Context(), `insert into devices (project_id, name) select $1, 'd' || n from generate_series(1, 10000) n`, w.ours.project)
	if err != nil {
		t.Fatal(err)
	}
	if r := w.status(`silentAfter: "PT5M"`).next(); r.code != "TOO_LARGE" {
		t.Errorf("of 10,001 devices: %s %.80s", r.code, r.raw)
	}
	if got := w.status(`where: {nameNEQ: "boiler"}`).states(); len(got) != 10_000 {
		t.Errorf("got %d devices of 10,000", len(got))
	}
}

func TestDeviceStatusIsForMembersAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.device("pump")
	for who, want := range map[string][]string{
		"owner": {"boiler OFFLINE", "pump OFFLINE"}, "projectKey": {"boiler OFFLINE", "pump OFFLINE"}, "deviceKey": {"boiler OFFLINE"},
		"stranger": nil, "ingestKey": nil,
	} {
		c := w.liveWith(who, map[string]any{
			"query": `subscription { deviceStatus(project: ` + id(w.ours.project) + `) { state lastSeen device { name } } }`,
		})
		if want != nil {
			c.wantStates(want...)
		} else if r := c.next(); r.code != "NOT_FOUND" && r.code != "FORBIDDEN" {
			t.Errorf("%s: %s %s", who, r.code, r.raw)
		}
	}
}
