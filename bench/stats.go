package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// statsScenarios are those that are measured on a statsLoad, in order.
var statsScenarios = []struct {
	name string
	run  func(ctx context.Context, l *statsLoad) (result, error)
}{
	{"stats-hourly", statsHourly},
	{"stats-year", statsYear},
	{"stats-group-hour", statsGroupHour},
	{"stats-group-day", statsGroupDay},
	{"stats-months", statsMonths},
	{"stats-decimate", statsDecimate},
	{"stats-growth", statsGrowth},
}

// runStats runs all of them on one load.
func runStats(ctx context.Context, quick bool, show func(name string, r result) error) error {
	return onStatsLoad(ctx, quick, func(l *statsLoad) error {
		for _, s := range statsScenarios {
			r, err := s.run(ctx, l)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			fmt.Printf("%s:\n", s.name)
			if err := show(s.name, r); err != nil {
				return err
			}
			fmt.Println()
		}
		return nil
	})
}

// onStats makes a scenario of what is measured on a statsLoad.
func onStats(run func(ctx context.Context, l *statsLoad) (result, error)) func(ctx context.Context, quick bool) (result, error) {
	return func(ctx context.Context, quick bool) (r result, err error) {
		err = onStatsLoad(ctx, quick, func(l *statsLoad) (err error) {
			r, err = run(ctx, l)
			return err
		})
		return r, err
	}
}

// turns is how long each side took, each time that they were asked the same.
type turns struct {
	ours   []time.Duration // without Readout's cache of decoded chunks
	cached []time.Duration // with it, when the same was asked before
	theirs []side          // the ways to ask SQL
}

// side is one of them.
type side struct {
	name, key string
	took      []time.Duration
}

// result says how many times as long the first way to ask SQL took, which is the one that people write, and as a key how many
// times the quickest one.
func (t *turns) result() (r result) {
	r.header = []string{"", "p50 ms", "p99 ms"}
	for _, s := range append([]side{{"Readout", "ms", t.ours}, {"Readout, decoded before", "cached_ms", t.cached}}, t.theirs...) {
		r.rows = append(r.rows, []string{s.name, fmt.Sprintf("%.2f", ms(quantile(s.took, 0.5))), fmt.Sprintf("%.2f", ms(quantile(s.took, 0.99)))})
		r.keys = append(r.keys, fmt.Sprintf("%s=%.2f", s.key, ms(median(s.took))))
	}
	best := math.Inf(1)
	for _, s := range t.theirs {
		best = min(best, float64(median(s.took))/float64(median(t.ours)))
	}
	r.ratio = float64(median(t.theirs[0].took)) / float64(median(t.ours))
	r.keys = append(r.keys, fmt.Sprintf("best_ratio=%.2f", best))
	return r
}

// inARow is how often a side is asked the same when it is its turn: a server that works is not asked after a pause in which
// another one has had the processors and their caches.
const inARow = 3

// turns asks both sides questions and compares what they say. The sides come by turns, so that what disturbs the machine
// disturbs all; the first round loads and plans, and does not count.
func (l *statsLoad) turns(ctx context.Context, rounds int, ask func(round int) *question) (*turns, error) {
	var t *turns
	for round := range rounds + 1 {
		if round <= 1 {
			t = new(turns)
		}
		if err := l.turn(ctx, t, ask(round)); err != nil {
			return nil, fmt.Errorf("round %d: %w", round, err)
		}
	}
	return t, nil
}

// turn asks both sides one question.
func (l *statsLoad) turn(ctx context.Context, t *turns, q *question) error {
	var got []cell
	var warm []time.Duration
	for _, by := range []struct {
		asked *asker
		times int
		took  *[]time.Duration
	}{{l.uncached, inARow, &t.ours}, {l.cached, 1, &warm}, {l.cached, inARow, &t.cached}} {
		for range by.times {
			begin := time.Now()
			cells, err := by.asked.ask(ctx, q)
			if err != nil {
				return fmt.Errorf("ask Readout: %w", err)
			}
			*by.took = append(*by.took, time.Since(begin))
			if got != nil && !slices.EqualFunc(got, cells, equalCells) {
				return errors.New("two answers of Readout differ")
			}
			got = cells
		}
	}
	for i, form := range q.forms {
		if i == len(t.theirs) {
			t.theirs = append(t.theirs, side{name: form.name, key: form.key})
		}
		for range inARow {
			begin := time.Now()
			want, err := l.rows.ask(ctx, form)
			if err != nil {
				return fmt.Errorf("ask SQL: %w", err)
			}
			t.theirs[i].took = append(t.theirs[i].took, time.Since(begin))
			if err := sameCells(got, want, q); err != nil {
				return fmt.Errorf("%s: %w", form.name, err)
			}
		}
	}
	return nil
}
