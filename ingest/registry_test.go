package ingest_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/readout-dev/readout/entity"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// series returns the id of the only series of the metric, 0 when there is none.
func (d *door) series(metric string) (id int64) {
	d.t.Helper()
	row := d.pool.QueryRow(d.t.Context(), `select coalesce((select id from series where metric = $1), 0)`, metric)
	if err := row.Scan(&id); err != nil {
		d.t.Fatal(err)
	}
	return id
}

// delete deletes a series as another process does: the row, then its readings.
func (d *door) delete(id int64) {
	d.t.Helper()
	if _, err := d.pool.Exec(d.t.Context(), `delete from series where id = $1`, id); err != nil {
		d.t.Fatal(err)
	}
	payload := reading.EncodeDeletions(nil, []reading.Deletion{reading.DeleteAll(id)})
	_, err := store.AppendEntries(d.t.Context(), d.pool, uuid.New(),
		[]store.Pending{{Project: d.project, Kind: 2, Count: 1, Payload: payload, Renames: true}})
	if err != nil {
		d.t.Fatal(err)
	}
}

func TestSeriesThatAnotherProcessDeletedIsMadeAnew(t *testing.T) {
	t.Parallel()
	d := setup(t)
	const body = `{"device":"boiler","time":"2026-01-01T00:00:00Z","values":{"heat":1,"flow":2}}`
	d.send("project", "/v1/readings", body)
	heat, flow := d.series("heat"), d.series("flow")
	d.delete(heat)
	if r := d.send("project", "/v1/readings", body); r.status != http.StatusOK || r.Accepted != 2 || r.Offset != 3 {
		t.Fatalf("the next request: %+v", r)
	}
	again := d.series("heat")
	if again == 0 || again == heat || d.series("flow") != flow {
		t.Errorf("heat was series %d and is %d, flow was %d and is %d", heat, again, flow, d.series("flow"))
	}
	if _, ok := d.tail.LatestTime(d.project, again); !ok {
		t.Error("the reading did not come to the new series")
	}
}

func TestUnitThatAnotherProcessChangedIsTheOneToSend(t *testing.T) {
	t.Parallel()
	d := setup(t)
	send := func(unit string, want int) {
		t.Helper()
		body := `{"device":"boiler","metric":"heat","time":"2026-01-01T00:00:00Z","value":1,"unit":"` + unit + `"}`
		if r := d.send("project", "/v1/readings", body); r.status != want {
			t.Errorf("a reading in %s: %d %s, want %d", unit, r.status, r.body, want)
		}
	}
	send("Cel", http.StatusOK)
	if _, err := d.pool.Exec(t.Context(), `update series set unit = 'K'`); err != nil {
		t.Fatal(err)
	}
	if err := store.Rename(t.Context(), d.pool, d.project); err != nil {
		t.Fatal(err)
	}
	send("Cel", http.StatusUnprocessableEntity)
	send("K", http.StatusOK)
	if _, err := d.pool.Exec(t.Context(), `update series set unit = 'Cel'`); err != nil {
		t.Fatal(err)
	}
	send("Cel", http.StatusOK) // what is known to be wrong is looked up
}

// While a series is deleted again and again, whatever is acknowledged goes to a series that was there when it was sent.
func TestNoReadingGoesToASeriesThatWasDeletedBeforeItWasSent(t *testing.T) {
	t.Parallel()
	d := setup(t)
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for range 40 {
				if r := d.send("project", "/v1/readings", `{"device":"boiler","values":{"heat":1}}`); r.status != http.StatusOK {
					t.Errorf("%d %s", r.status, r.body)
				}
			}
		})
	}
	for range 20 {
		id := d.series("heat")
		if id == 0 {
			continue
		}
		d.delete(id)
		r := d.send("project", "/v1/readings", `{"device":"boiler","values":{"heat":1}}`)
		if r.status != http.StatusOK || d.series("heat") == id || d.series("heat") == 0 {
			t.Errorf("after series %d was deleted a reading was taken (%d), and heat is series %d", id, r.status, d.series("heat"))
		}
	}
	senders.Wait()
}

func TestRegistryTellsWhatItMakes(t *testing.T) {
	t.Parallel()
	d := setup(t)
	expect := func(body string, want ...entity.Change) {
		t.Helper()
		d.heard = nil
		if r := d.send("project", "/v1/readings", body); r.status != http.StatusOK {
			t.Fatalf("%s: %s", body, r.body)
		}
		for i, c := range d.heard {
			if age := time.Since(time.UnixMicro(c.At)); age < 0 || age > time.Minute {
				t.Errorf("a change is said to be %v old", age)
			}
			d.heard[i].At = 0
		}
		if !slices.Equal(d.heard, want) {
			t.Errorf("%s:\n told %+v\n want %+v", body, d.heard, want)
		}
	}
	device := func() (id int64) {
		if err := d.pool.QueryRow(t.Context(), `select max(id) from devices`).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	change := func(kind entity.Kind, typ entity.Type, id int64) entity.Change {
		return entity.Change{Kind: kind, Type: typ, ID: id, Project: d.project}
	}
	boiler := device()
	d.send("project", "/v1/readings", `{"device":"boiler","metric":"flow","value":1}`)
	flow := d.series("flow")
	expect(`{"device":"boiler","metric":"flow","value":2}`)
	expect(`{"device":"boiler","metric":"flow","value":2,"unit":"l/s"}`, change(entity.Updated, entity.Series, flow))
	expect(`{"device":"pump","metric":"heat","value":2}`,
		change(entity.Created, entity.Device, boiler+1), change(entity.Created, entity.Series, flow+1))
}
