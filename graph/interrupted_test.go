package graph_test

import (
	"context"
	"testing"
	"time"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/graph/gql"
)

// Whoever joins interrupts a stream in its waiting. That does not keep it from looking up what it has to tell, however often it is.
func TestInterruptedStreamsGoOn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := auth.NewContext(t.Context(), auth.System())
	interrupted, cancel := context.WithCancel(ctx)
	cancel()

	changes := w.graph.OpenChanges(ctx, w.ours.project)
	defer changes.Close()
	w.client.Device.UpdateOneID(w.ours.device).SetDescription("hot").ExecX(ctx)
	if c, _, err := changes.Next(interrupted); err != nil || *c.ID != w.ours.device {
		t.Errorf("changes: got %v, %v", c, err)
	}

	states, err := w.graph.OpenDeviceStatus(ctx, w.ours.project, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer states.Close()
	if all, _, err := states.Next(interrupted); err != nil || len(all) != 1 {
		t.Fatalf("at first: got %v, %v", all, err)
	}
	// A series that it has not met, of a device that it has: it asks whose it is.
	_, err = w.pool.Exec(ctx, `insert into series (project_id, device_id, metric, unit) values ($1, $2, 'flow', '')`, w.ours.project, w.ours.device)
	if err != nil {
		t.Fatal(err)
	}
	w.sendNow(w.client.Series.Query().Where(series.Metric("flow")).OnlyIDX(ctx))
	for range 500 {
		changed, _, err := states.Next(interrupted)
		if err == nil {
			if len(changed) != 1 || changed[0].State != gql.DeviceStateOnline {
				t.Errorf("then: got %v", changed)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the device is not told of")
}
