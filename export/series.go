package export

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/ent/db"
	"github.com/readout-dev/readout/ent/db/device"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/internal/fault"
)

// pageDevices is how many devices are asked for at a time, with all their series.
const pageDevices = 200

// choose settles which project is exported: the one that is named, that of the key or of the series named, or the only
// one there is. Rows do not say their project, so they are all of one.
func (h *Handler) choose(ctx context.Context, q *query) error {
	if len(q.series) > 0 {
		if err := h.chooseBySeries(ctx, q); err != nil {
			return err
		}
	}
	if p := auth.FromContext(ctx); q.project == 0 {
		q.project = p.Project // 0 for a person
	}
	if q.project != 0 {
		found, err := h.client.Project.Get(ctx, q.project)
		if db.IsNotFound(err) {
			return fault.New(fault.NotFound, "there is no such project")
		}
		if err != nil {
			return err
		}
		q.project = found.ID
		return nil
	}
	ids, err := h.client.Project.Query().Limit(2).IDs(ctx)
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		return fault.New(fault.NotFound, "there is no project")
	case len(ids) > 1:
		return fault.New(fault.Invalid, "name the project: you are a member of several")
	}
	q.project = ids[0]
	return nil
}

// chooseBySeries makes sure that all series that are named exist, in one project.
func (h *Handler) chooseBySeries(ctx context.Context, q *query) error {
	found, err := h.client.Series.Query().Where(series.IDIn(q.series...)).Select(series.FieldID, series.FieldProjectID).All(ctx)
	if err != nil {
		return err
	}
	if len(found) < len(q.series) {
		return fault.New(fault.NotFound, "there is no such series")
	}
	for _, s := range found {
		if q.project == 0 {
			q.project = s.ProjectID
		}
		if s.ProjectID != q.project {
			return fault.New(fault.Invalid, "the series are of several projects: export them one by one")
		}
	}
	return nil
}

// pages returns the series that q matches, with their devices, in the order of their devices' names, metrics and labels; a
// page of devices at a time, so that there may be any number.
func (h *Handler) pages(ctx context.Context, q query) iter.Seq2[[]*db.Series, error] {
	return func(yield func([]*db.Series, error) bool) {
		matching := h.client.Device.Query().Where(device.ProjectID(q.project)).Order(device.ByName()).Limit(pageDevices)
		if len(q.devices) > 0 {
			matching.Where(device.NameIn(q.devices...))
		}
		if len(q.series) > 0 {
			matching.Where(device.HasSeriesWith(series.IDIn(q.series...)))
		}
		last := ""
		for {
			devices, err := matching.Clone().Where(device.NameGT(last)).All(ctx)
			var page []*db.Series
			if err == nil && len(devices) > 0 {
				page, err = h.seriesOf(ctx, q, devices)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if len(page) > 0 && !yield(page, nil) || len(devices) < pageDevices {
				return
			}
			last = devices[len(devices)-1].Name
		}
	}
}

// seriesOf returns the series of devices that q matches, in the order of the devices.
func (h *Handler) seriesOf(ctx context.Context, q query, devices []*db.Device) ([]*db.Series, error) {
	places, ids := make(map[int64]int, len(devices)), make([]int64, len(devices))
	for i, d := range devices {
		places[d.ID], ids[i] = i, d.ID
	}
	matching := h.client.Series.Query().Where(series.DeviceIDIn(ids...))
	if len(q.series) > 0 {
		matching.Where(series.IDIn(q.series...))
	}
	if len(q.metrics) > 0 {
		matching.Where(series.MetricIn(q.metrics...))
	}
	page, err := matching.All(ctx)
	if err != nil {
		return nil, err
	}
	labels := make(map[int64]string, len(page))
	for _, s := range page {
		s.Edges.Device, labels[s.ID] = devices[places[s.DeviceID]], labelsText(s)
	}
	slices.SortFunc(page, func(a, b *db.Series) int {
		return cmp.Or(cmp.Compare(places[a.DeviceID], places[b.DeviceID]), cmp.Compare(a.Metric, b.Metric), cmp.Compare(labels[a.ID], labels[b.ID]))
	})
	return page, nil
}
