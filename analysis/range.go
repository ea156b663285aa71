package analysis

import (
	"context"
	"time"

	"github.com/readout-dev/readout/internal/fault"
)

// frame returns the range of a request and its buckets; there are none when it is empty.
func (e *Engine) frame(ctx context.Context, x *index, r *Request) (*frame, error) {
	from, to, err := e.rangeOf(ctx, x, r)
	if err != nil {
		return nil, err
	}
	if from >= to {
		return newFrame(nil, from, from), nil
	}
	bounds, err := r.Window.Bounds(from, to)
	if err != nil {
		return nil, err
	}
	if err := r.checkSize(len(bounds) - 1); err != nil {
		return nil, err
	}
	return newFrame(bounds, from, to), nil
}

// Range returns the range of a request in µs, its open ends filled in: from the first reading of any of its series, to now.
func (e *Engine) Range(ctx context.Context, r Request) (from, to int64, err error) {
	leave, err := e.admission.enter(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer leave()
	return e.rangeOf(ctx, newIndex(r.Groups), &r)
}

// rangeOf returns what the request says, and what it leaves open: from the first reading to now.
func (e *Engine) rangeOf(ctx context.Context, x *index, r *Request) (from, to int64, err error) {
	if r.From != nil && r.To != nil && *r.From > *r.To {
		return 0, 0, fault.New(fault.Invalid, "the range ends before it begins")
	}
	now := r.Now
	if now.IsZero() {
		now = time.Now()
	}
	to = now.UnixMicro()
	if r.To != nil {
		to = *r.To
	}
	if r.From != nil {
		return *r.From, to, nil
	}
	from = to
	for _, p := range x.projects {
		first, ok, err := e.source.First(ctx, p.project, p.series)
		if err != nil {
			return 0, 0, err
		}
		if ok {
			from = min(from, first)
		}
	}
	return from, to, nil
}
