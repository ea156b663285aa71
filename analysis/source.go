package analysis

import (
	"context"
	"iter"

	"github.com/readout-dev/readout/history"
)

// Source is where readings and their rollups come from; *history.Reader is one, and says what the methods promise. Safe
// for concurrent use.
type Source interface {
	Spans(ctx context.Context, project int64, series []int64, from, to int64, want int) iter.Seq2[history.Span, error]
	Summaries(ctx context.Context, q history.SummaryQuery, take func(*history.Unit) error) (left []history.Part, err error)
	First(ctx context.Context, project int64, series []int64) (t int64, ok bool, err error)
	Estimate(ctx context.Context, project int64, series []int64, from, to int64, most int) (n int, outlived bool, err error)
}

// looker is a Source that reads what is little in the same look that finds out how much there is, as *history.Reader.Look does;
// with others it takes two.
type looker interface {
	Look(ctx context.Context, q history.LookQuery, use func(history.Span) error) (history.Look, error)
}
