package history_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/history"
	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

func expect(t *testing.T, what string, got []reading.Reading, want ...reading.Reading) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestLaterOfEqualReadingsWins(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	putChunk(t, pool, project, at(1, 1, 0), at(1, 2, 0), at(1, 3, 0), at(1, 4, 0), at(1, 5, 0))
	putYoung(t, pool, project, 9, at(1, 2, 9), at(1, 4, 9))
	putYoung(t, pool, project, 10, at(1, 3, 10), at(1, 4, 10))
	setPacked(t, pool, project, 10)
	p := start(t, pool, history.Config{})
	p.mustAppend(t, project, at(1, 5, 11), at(1, 6, 11))
	expect(t, "all", p.mustRange(t, project, 1, 0, math.MaxInt64),
		at(1, 1, 0), at(1, 2, 9), at(1, 3, 10), at(1, 4, 10), at(1, 5, 11), at(1, 6, 11))
	expect(t, "a part", p.mustRange(t, project, 1, at(1, 2, 0).Time, at(1, 5, 0).Time), at(1, 2, 9), at(1, 3, 10), at(1, 4, 10))
	expect(t, "nothing", p.mustRange(t, project, 1, at(1, 2, 0).Time, at(1, 2, 0).Time))
	expect(t, "another series", p.mustRange(t, project, 2, 0, math.MaxInt64))
	expect(t, "another project", p.mustRange(t, project+1, 1, 0, math.MaxInt64))
}

func TestPendingDeletionTakesPackedReadingsAlone(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	putChunk(t, pool, project, at(1, 1, 0), at(1, 2, 0), at(1, 3, 0), at(1, 4, 0))
	putChunk(t, pool, project, at(2, 2, 0))
	putYoung(t, pool, project, 9, at(1, 5, 9), at(1, 6, 9))
	setPacked(t, pool, project, 9)
	p := start(t, pool, history.Config{})
	p.mustDelete(t, project, reading.Deletion{Series: 1, From: at(1, 4, 0).Time, To: at(1, 6, 0).Time})
	p.mustDelete(t, project, reading.Deletion{Series: 1, From: at(1, 2, 0).Time, To: at(1, 3, 0).Time})
	p.mustAppend(t, project, at(1, 5, 12))
	expect(t, "series 1", p.mustRange(t, project, 1, 0, math.MaxInt64), at(1, 1, 0), at(1, 3, 0), at(1, 5, 12), at(1, 6, 9))
	expect(t, "series 2", p.mustRange(t, project, 2, 0, math.MaxInt64), at(2, 2, 0))
}

func TestLatestIsFoundWhereverItIs(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	putChunk(t, pool, project, at(1, 1, 0), at(1, 4.999999, 0))
	putYoung(t, pool, project, 9, at(1, 5, 9), at(2, 5, 9), at(3, 7, 9))
	setPacked(t, pool, project, 9)
	for series, newest := range map[int64]reading.Reading{1: at(1, 5, 9), 2: at(2, 5, 9), 3: at(3, 7, 9)} {
		exec(t, pool, `insert into latest (project_id, series_id, "time", value, "offset")
			values ($1, $2, to_timestamp($3::float8 / 1e6), $4, 9)`, project, series, newest.Time, newest.Value)
	}
	p := start(t, pool, history.Config{})
	latest := func(what string, want ...reading.Reading) {
		t.Helper()
		rs, err := p.reader.Latest(t.Context(), project, []int64{3, 1, 2, 4})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, what, rs, want...)
	}
	latest("as the table has it", at(3, 7, 9), at(1, 5, 9), at(2, 5, 9))
	p.mustDelete(t, project, reading.Deletion{Series: 1, From: at(1, 5, 0).Time, To: math.MaxInt64}, reading.DeleteAll(2))
	latest("when some is deleted", at(3, 7, 9), at(1, 4.999999, 0))
	latest("when it was asked for before", at(3, 7, 9), at(1, 4.999999, 0))
	p.mustAppend(t, project, at(2, 3, 12), at(1, 0, 12))
	latest("when older ones come", at(3, 7, 9), at(1, 4.999999, 0), at(2, 3, 12))
	p.mustDelete(t, project, reading.Deletion{Series: 1, From: at(1, 2, 0).Time, To: math.MaxInt64})
	latest("when more is deleted", at(3, 7, 9), at(1, 1, 0), at(2, 3, 12))
}

func TestReadBeginsAgainWhenThePackerIsAhead(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	p, other := start(t, pool, history.Config{}), start(t, pool, history.Config{})
	p.mustAppend(t, project, at(1, 1, 1))
	expect(t, "before", other.mustRange(t, project, 1, 0, math.MaxInt64), at(1, 1, 1))
	// Entry 2 is written and packed by a process that ours does not hear of; entry 3 takes the reading of entry 2 away.
	p.mustAppend(t, project, at(1, 2, 2))
	putYoung(t, pool, project, 2, at(1, 1, 1), at(1, 2, 2))
	setPacked(t, pool, project, 2)
	p.mustDelete(t, project, reading.Deletion{Series: 1, From: at(1, 2, 0).Time, To: at(1, 3, 0).Time})
	expect(t, "after", other.mustRange(t, project, 1, 0, math.MaxInt64), at(1, 1, 1))
}

func TestMoreThanMaxReadingsIsTooLarge(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	var rs []reading.Reading
	for i := range 1000 {
		rs = append(rs, at(1, float64(i), float64(i)))
	}
	putChunk(t, pool, project, rs[:500]...)
	putYoung(t, pool, project, 1, rs[400:800]...)
	setPacked(t, pool, project, 1)
	p := start(t, pool, history.Config{MaxReadings: 1000})
	p.mustAppend(t, project, rs[700:]...)
	expect(t, "as many as may be", p.mustRange(t, project, 1, 0, math.MaxInt64), rs...)
	p.mustAppend(t, project, at(1, 2000, 0))
	if _, err := p.reader.Range(t.Context(), project, 1, 0, math.MaxInt64); !fault.Is(err, fault.TooLarge) {
		t.Errorf("one too many: got %v", err)
	}
	if _, _, err := p.reader.At(t.Context(), project, []int64{1}, 0, 999); !fault.Is(err, fault.TooLarge) {
		t.Errorf("more than this call may have: got %v", err)
	}
	n := 0
	for span, err := range p.reader.Spans(t.Context(), project, []int64{1}, 0, math.MaxInt64, 100) {
		if err != nil {
			t.Fatal(err)
		}
		if len(span.Series[0]) > 100 {
			t.Errorf("a span of %d readings, want 100 at most", len(span.Series[0]))
		}
		n += len(span.Series[0])
	}
	if n != 1001 {
		t.Errorf("the spans have %d readings, want 1001", n)
	}
}

// Spans are about as large as they were asked for, however the readings are spread in time and over series.
func TestSpansAreNeitherTinyNorHuge(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	m := model{}
	series := []int64{}
	for s := int64(1); s <= 40; s++ {
		var rs []reading.Reading
		for i := range 1000 {
			seconds := float64(i) * 60
			if s%2 == 0 { // all of them in the first second but for one
				seconds = float64(i)/1000 + float64(i/999)*60_000
			}
			rs = append(rs, at(s, seconds, float64(i)))
		}
		m.append(rs...)
		putChunk(t, pool, project, rs...)
		series = append(series, s)
	}
	setPacked(t, pool, project, 1)
	p := start(t, pool, history.Config{})
	var got []reading.Reading
	spans := 0
	for span, err := range p.reader.Spans(t.Context(), project, series, 0, math.MaxInt64, 2000) {
		if err != nil {
			t.Fatal(err)
		}
		spans++
		before := len(got)
		for _, rs := range span.Series {
			got = append(got, rs...)
		}
		if n := len(got) - before; n > 2000 {
			t.Errorf("a span has %d readings, want 2000 at most", n)
		}
	}
	if spans > 60 {
		t.Errorf("40,000 readings in %d spans, want about 20", spans)
	}
	slices.SortFunc(got, reading.Compare)
	want := []reading.Reading{}
	for _, s := range series {
		want = append(want, m.between(s, 0, math.MaxInt64)...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %d readings, want %d, or not the same", len(got), len(want))
	}
}

func TestUndecodableRowIsNamed(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	putChunk(t, pool, project, at(1, 1, 0), at(1, 2, 0))
	exec(t, pool, `update chunk set payload = '\x00'`)
	setPacked(t, pool, project, 1)
	p := start(t, pool, history.Config{})
	_, err := p.reader.Range(t.Context(), project, 1, 0, math.MaxInt64)
	if err == nil || fault.Of(err).Code != fault.Internal || !strings.Contains(err.Error(), "of series 1") {
		t.Errorf("got %v", err)
	}
}

func TestRewrittenRowIsReadAnew(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	p := start(t, pool, history.Config{})
	for value := range 2 {
		exec(t, pool, `delete from chunk`)
		exec(t, pool, `delete from young`)
		rs := []reading.Reading{at(1, 1, float64(value)), at(1, 2, float64(value))}
		putChunk(t, pool, project, rs[0])
		putYoung(t, pool, project, 1, rs[1])
		setPacked(t, pool, project, 1)
		for range 2 {
			expect(t, "all", p.mustRange(t, project, 1, 0, math.MaxInt64), rs...)
		}
	}
}

// A read looks at some of a series' rows only, and does not take what lies behind them for empty.
func TestManySmallRowsAreAllRead(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	var want []reading.Reading
	for i := range 200 {
		r := at(1, float64(i), float64(i))
		putChunk(t, pool, project, r)
		want = append(want, r)
	}
	setPacked(t, pool, project, 1)
	p := start(t, pool, history.Config{})
	seen := reading.Reading{Series: math.MinInt64, Time: math.MinInt64}
	got, err := p.reader.Page(t.Context(), project, []int64{1}, 0, math.MaxInt64, seen, 1000)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "a page", got, want...)
	expect(t, "all", p.mustRange(t, project, 1, 0, math.MaxInt64), want...)
}

// The current day of a fast fleet has more runs than one look finds.
func TestManyRunsAreAllRead(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	const runs = 2500
	rows := make([]store.YoungRow, runs)
	want := make([]reading.Reading, runs)
	for i := range rows {
		want[i] = at(1, float64(i), float64(i))
		rows[i] = youngRow(int64(runs-i), want[i]) // late ones first
	}
	put(t, pool, func(ctx context.Context, tx pgx.Tx) error { return store.CopyYoung(ctx, tx, project, rows) })
	setPacked(t, pool, project, runs)
	p := start(t, pool, history.Config{})
	seen := reading.Reading{Series: math.MinInt64, Time: math.MinInt64}
	page, err := p.reader.Page(t.Context(), project, []int64{1}, 0, math.MaxInt64, seen, 10)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "a page", page, want[:10]...)
	var got []reading.Reading
	for span, err := range p.reader.Spans(t.Context(), project, []int64{1}, 0, math.MaxInt64, 5000) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, span.Series[0]...)
	}
	expect(t, "spans", got, want...)
}

// A loop over spans takes the memory of one, whatever it reads.
func TestSpansUseTheirMemoryAgain(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	rs := gauge(1, 10_000)
	for chunk := range slices.Chunk(rs, 1000) {
		putChunk(t, pool, project, chunk...)
	}
	setPacked(t, pool, project, 1)
	p := start(t, pool, history.Config{CacheBytes: -1})
	places := make(map[*reading.Reading]bool)
	i, spans := 0, 0
	for span, err := range p.reader.Spans(t.Context(), project, []int64{1}, 0, math.MaxInt64, 1000) {
		if err != nil {
			t.Fatal(err)
		}
		found := span.Series[0]
		expect(t, "a span", found, rs[i:i+len(found)]...)
		i += len(found)
		spans++
		places[&found[0]] = true
	}
	if i != len(rs) || spans < 10 || len(places) > 3 { // it grows at first
		t.Errorf("%d readings in %d spans at %d places", i, spans, len(places))
	}
}

func TestNothingIsReadOfNoSeries(t *testing.T) {
	t.Parallel()
	pool := database(t)
	project := newProject(t, pool)
	p := start(t, pool, history.Config{})
	p.mustAppend(t, project, at(1, 1, 1))
	offset, rs, err := p.reader.At(t.Context(), project, nil, 0, 1)
	if err != nil || offset != 1 || len(rs) != 0 {
		t.Errorf("at: offset %d, %v, %v", offset, rs, err)
	}
	page, err := p.reader.Page(t.Context(), project, nil, 0, math.MaxInt64, reading.Reading{}, 10)
	if err != nil || len(page) != 0 {
		t.Errorf("page: %v, %v", page, err)
	}
	for span, err := range p.reader.Spans(t.Context(), project, nil, 0, math.MaxInt64, 10) {
		t.Errorf("span: %v, %v", span, err)
	}
}
