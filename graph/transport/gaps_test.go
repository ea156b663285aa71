package transport_test

import (
	"context"
	"testing"

	"github.com/readout-dev/readout/graph/transport"
)

// skipping is a stream whose first event says that something was left out before it.
type skipping struct{ stream }

func (s skipping) Next(ctx context.Context) (any, transport.Mark, error) {
	e, err := s.next(ctx)
	return e, transport.Mark{Gap: "COALESCE", Live: true}, err
}

func TestGapsAreCountedByPolicy(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.plan = func(context.Context, map[string]any) (transport.Plan, error) { return transport.Plan{Alone: true}, nil }
	w.entries = func(ctx context.Context, _ map[string]any) (transport.Stream[any], error) {
		if transport.PartOf(ctx).Shared {
			return stream{next: func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }}, nil
		}
		return skipping{stream{next: countTo(1)}}, nil
	}
	c := w.join(t)
	for range 2 {
		c.send(`{"id":"1","type":"subscribe","payload":{"query":"subscription{entries}"}}`)
		c.expect(`{"id":"1","type":"next","payload":{"data":{"entries":1}}}`)
		c.send(complete, "1")
		c.expectNothing()
	}
	if got := w.subs.Gaps("COALESCE"); got < 1 || got > 2 { // the last one may be about to be
		t.Errorf("%d gaps", got)
	}
	if got := w.subs.Gaps("GAP"); got != 0 {
		t.Errorf("%d gaps of another policy", got)
	}
}
