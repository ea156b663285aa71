package verify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/journal"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/tail"
	"github.com/readout-dev/readout/verify"
)

// The series of a world: of one block, but for far.
const (
	busy = 5000 + iota // thousands of readings a day: chunks
	slow               // ten a day: settled, and young
	other
	waiting // has an entry that is not packed
	far     = 50_000
)

// first is the first of three days: two are settled, the third is young in runs of several parts.
var first = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// world is a project in which there is something of everything.
type world struct {
	t       *testing.T
	pool    *pgxpool.Pool
	project int64
	journal *journal.Journal
	packer  *pack.Packer
}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, pool: testdb.New(t)}
	if err := w.pool.QueryRow(t.Context(), `insert into projects (name) values ('test') returning id`).Scan(&w.project); err != nil {
		t.Fatal(err)
	}
	held := tail.New()
	w.journal = journal.New(w.pool, journal.NewFollower(w.pool, held), held.LatestTime, journal.Config{})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- w.journal.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	w.packer = pack.New(w.pool, pack.Config{Sizes: pack.Sizes{Row: 60}})
	w.fill()
	return w
}

func (w *world) fill() {
	for day := range 3 {
		w.send(busy, day, 2500)
		w.send(slow, day, 10)
		w.send(far, day, 70)
		w.pack()
		w.send(busy, day, 300)
		w.send(other, day, 75)
		w.pack()
	}
	w.settle(first.AddDate(0, 0, 2).Add(2 * time.Hour))
	w.send(slow, 0, 12) // late, and not settled again
	w.pack()
	w.send(waiting, 0, 3)
	if _, err := w.journal.Delete(w.t.Context(), w.project, []reading.Deletion{reading.DeleteAll(waiting)}); err != nil {
		w.t.Fatal(err)
	}
}

// send appends readings of a series: the first n of a day, ten seconds apart.
func (w *world) send(series int64, day, n int) {
	w.t.Helper()
	rs := make([]reading.Reading, n)
	for i := range rs {
		at := first.AddDate(0, 0, day).Add(time.Duration(i) * 10 * time.Second)
		rs[i] = reading.Reading{Series: series, Time: at.UnixMicro(), Value: float64(i%700) / 8}
	}
	if _, err := w.journal.Append(w.t.Context(), w.project, rs); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) pack() {
	w.t.Helper()
	if err := w.packer.Pack(w.t.Context(), w.project); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) settle(now time.Time) {
	w.t.Helper()
	if err := w.packer.Settle(w.t.Context(), w.project, now); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	tag, err := w.pool.Exec(w.t.Context(), sql, args...)
	if err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	if tag.RowsAffected() == 0 && !strings.HasPrefix(sql, "create") {
		w.t.Fatalf("%s: changed nothing", sql)
	}
}

func (w *world) verify(opt verify.Options) []verify.Finding {
	w.t.Helper()
	opt.Now = first.AddDate(0, 0, 2)
	found, err := verify.Run(w.t.Context(), w.pool, opt)
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

func TestNothingIsFoundWhereAllIsWell(t *testing.T) {
	t.Parallel()
	w := setup(t)
	f := func(when string) {
		t.Helper()
		if found := w.verify(verify.Options{}); len(found) > 0 {
			t.Errorf("%s: %+v", when, found)
		}
	}
	f("with something of everything")
	w.pack()
	f("all packed")
	w.settle(first.AddDate(0, 0, 4))
	f("all settled")
	if _, err := w.journal.Delete(t.Context(), w.project, []reading.Deletion{{Series: busy, From: first.UnixMicro(), To: first.Add(5 * time.Hour).UnixMicro()}, reading.DeleteAll(slow)}); err != nil {
		t.Fatal(err)
	}
	w.pack()
	f("some deleted")
	w.settle(first.AddDate(0, 2, 0))
	f("the month closed")
}

// tables are what faults are planted in.
var tables = []string{"journal_head", "journal", "packing", "young", "chunk", "rollup_hour", "rollup_day", "latest"}

func TestEachPlantedFaultIsFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var restored strings.Builder // in one transaction
	for i, table := range tables {
		w.exec(fmt.Sprintf(`create table kept_%[1]s as table %[1]s`, table))
		fmt.Fprintf(&restored, "delete from %s;", tables[len(tables)-1-i])
	}
	for _, table := range tables {
		fmt.Fprintf(&restored, "insert into %[1]s select * from kept_%[1]s;", table)
	}
	const flip = ` set payload = set_byte(payload, length(payload) * 2 / 3, 255 - get_byte(payload, length(payload) * 2 / 3)) where `
	const (
		journalRow = `"offset" = 3`
		settled    = `tier = 2 and day = '2026-03-01' and first_series = 5001`
		fresh      = `tier = 0 and day = '2026-03-03' and part = 2 and first_series = 5000 and parts > 3 and upto = (select min(upto) from young where tier = 0 and day = '2026-03-03' and block = 4)`
		chunkRow   = `series_id = 5000 and first_time = (select min(first_time) from chunk where series_id = 5000)`
		dayRow     = `series_id = 5000 and start = '2026-03-02T00:00:00Z'`
		hourRow    = `series_id = 5000 and start = '2026-03-02T01:00:00Z'`
		latestRow  = `series_id = 5000`
	)
	count := 0
	f := func(table, problem, sql string, args ...any) {
		t.Helper()
		count++
		w.exec(sql, args...)
		found := w.verify(verify.Options{Project: w.project})
		w.exec(restored.String())
		for _, one := range found {
			if one.Table == table && one.Problem == problem {
				return
			}
		}
		t.Errorf("%s\nshould give %s: %s\nfound %+v", sql, table, problem, found)
	}

	f("journal", "the entry cannot be read", `update journal`+flip+journalRow)
	f("journal", "the entry has another count", `update journal set count = count + 1 where `+journalRow)
	f("journal", "the entry is of an unknown kind", `update journal set kind = 9 where `+journalRow)
	f("journal", "the entry cannot be read", `update journal set kind = 2 where `+journalRow)
	f("journal", "entries are missing", `delete from journal where `+journalRow)
	f("journal", "entries that are not packed are missing", `delete from journal where "offset" <= (select packed_to + 1 from packing)`)
	f("journal", "entries that are not packed are missing", `delete from journal`)
	f("journal_head", "the head is not the last entry", `delete from journal where "offset" = (select head from journal_head)`)
	f("journal_head", "the head is not the last entry", `update journal_head set head = head + 1`)
	f("packing", "more is packed than there is", `update packing set packed_to = packed_to + 10`)
	f("latest", "the newest reading is missing", `update packing set packed_to = packed_to + 1; delete from latest where series_id = 5002`)
	f("young", "the row holds entries that are not packed", `update packing set packed_to = packed_to - 1`)

	for _, row := range []string{settled, fresh} {
		f("young", "the row cannot be read", `update young`+flip+row)
		f("young", "the row has another count", `update young set count = count - 1 where `+row)
		f("young", "the row begins with another series", `update young set first_series = first_series - 1 where `+row)
		f("young", "the row begins with another series", `update young set first_series = first_series + 20 where `+row)
		f("young", "the row ends with another series", `update young set last_series = last_series + 1 where `+row)
		f("young", "the row begins at another time", `update young set first_time = first_time - 1 where `+row)
		f("young", "the row ends at another time", `update young set last_time = last_time + 1 where `+row)
		f("young", "the row has readings of another day", `update young set day = day + 1 where `+row)
		f("young", "the row has series of another block", `update young set block = block + 1 where `+row)
		f("young", "the row holds entries that are not packed", `update young set upto = upto + 1000 where `+row)
		f("young", "the row holds no entries", `update young set since = upto where `+row)
		f("young", "the row is of an unknown tier", `update young set tier = 3 where `+row)
		f("young", "the parts of a run do not agree on since, tier and parts", `update young set parts = parts + 1 where `+row)
		f("young", "a part of the run is missing", `update young set part = part + 1000 where `+row)
	}
	f("young", "a part of the run is missing", `delete from young where `+fresh)
	f("young", "the last parts of the run are missing", `delete from young where tier = 0 and part = parts and parts > 1 and day = '2026-03-03'`)
	f("young", "the part overlaps the one before it", `update young y set payload = b.payload, first_time = b.first_time, last_time = b.last_time, count = b.count
		from young b where b.day = y.day and b.upto = y.upto and b.block = y.block and b.part = y.part - 1 and y.part = 3 and y.tier = 0`)
	f("young", "runs hold the same entries", `insert into young select project_id, day, block, first_series, last_series, upto - 1, part, parts, since - 1, tier,
		first_time, last_time, count, payload from young where tier = 0 and day = '2026-03-03' and block = 4`)
	f("young", "a day has two settled runs", `insert into young select project_id, day, block, first_series, last_series, upto - 1, part, parts, since, tier,
		first_time, last_time, count, payload from young where tier = 2`)
	f("rollup_day", "a rollup is too many", `delete from young where tier = 2 and day = '2026-03-01'`)

	f("chunk", "the chunk cannot be read", `update chunk`+flip+chunkRow)
	f("chunk", "the chunk has another count", `update chunk set count = count + 1 where `+chunkRow)
	f("chunk", "the chunk begins at another time", `update chunk set first_time = first_time + 1 where `+chunkRow)
	f("chunk", "the chunk ends at another time", `update chunk set last_time = last_time + 1 where `+chunkRow)
	f("chunk", "the chunk cannot be read", `update chunk set series_id = 5001 where `+chunkRow)
	f("chunk", "a version is there twice", `update chunk set version = (select max(version) from chunk) where `+chunkRow)
	f("chunk", "the chunk overlaps the one before it", `insert into chunk select project_id, series_id, first_time + 1, last_time + 1, nextval('chunk_version'), count, payload from chunk where `+chunkRow)
	f("chunk", "the chunk crosses a month", `update chunk set payload = $1 where `+chunkRow, crossing())
	f("chunk", "readings are packed twice: in a chunk and in young", `insert into chunk select project_id, 5001, $2, $2, nextval('chunk_version'), 1, $1 from projects, lateral (select id as project_id) p`,
		reading.Compact(nil, []reading.Reading{{Series: slow, Time: first.UnixMicro(), Value: 1}}), first.UnixMicro())
	f("rollup_day", "the rollup has another count", `delete from chunk where `+chunkRow)

	f("rollup_day", "a rollup is missing", `delete from rollup_day where `+dayRow)
	f("rollup_hour", "a rollup is missing", `delete from rollup_hour where `+hourRow)
	f("rollup_day", "a rollup is too many", `insert into rollup_day select project_id, 4999, start, count, sum, m2, min, max, first, last, first_at, last_at, sketch from rollup_day where `+dayRow)
	f("rollup_hour", "a rollup is too many", `update rollup_hour set start = start + interval '20 hours' where `+hourRow)
	for _, field := range []string{"sum", "m2", "min", "max", "first", "last", "area", "increase"} {
		f("rollup_day", "the rollup has another "+field, fmt.Sprintf(`update rollup_day set %[1]s = %[1]s + 1e-9 where `+dayRow, field))
		f("rollup_hour", "the rollup has another "+field, fmt.Sprintf(`update rollup_hour set %[1]s = %[1]s + 1e-9 where `+hourRow, field))
	}
	f("rollup_day", "the rollup has another count", `update rollup_day set count = count + 1 where `+dayRow)
	f("rollup_day", "the rollup has another first_at", `update rollup_day set first_at = first_at + interval '1 microsecond' where `+dayRow)
	f("rollup_hour", "the rollup has another last_at", `update rollup_hour set last_at = last_at - interval '1 microsecond' where `+hourRow)
	f("rollup_day", "the rollup has another sketch", `update rollup_day set sketch = set_byte(sketch, 9, 255 - get_byte(sketch, 9)) where `+dayRow)
	f("rollup_day", "the rollup has another sketch", `update rollup_day set sketch = '' where `+dayRow)

	f("latest", "the newest reading is missing", `delete from latest where `+latestRow)
	f("latest", "the newest reading is missing", `update latest set "time" = null, value = null where `+latestRow)
	f("latest", "it is not the newest reading", `update latest set "time" = "time" - interval '10 seconds' where `+latestRow)
	f("latest", "the newest reading has another value", `update latest set value = value + 1e-9 where `+latestRow)
	f("latest", "the row is of an entry that is not there", `update latest set "offset" = 1000 where `+latestRow)
	f("latest", "there is no such reading", `insert into latest select project_id, 4000, "time", value, "offset" from latest where `+latestRow)
	f("latest", "the value is no number", `update latest set value = 'NaN' where `+latestRow)
	if count < 25 {
		t.Errorf("only %d faults were planted", count)
	}
	if found := w.verify(verify.Options{}); len(found) > 0 {
		t.Errorf("at the end: %+v", found)
	}
}

// crossing is a chunk of the busy series that reaches back into February.
func crossing() []byte {
	return reading.Compact(nil, []reading.Reading{{Series: busy, Time: first.UnixMicro() - 1, Value: 1}, {Series: busy, Time: first.UnixMicro(), Value: 1}})
}

func TestRowsOfADeletedProjectAreFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.exec(`delete from projects`)
	found := w.verify(verify.Options{})
	if len(found) == 0 || found[0].Table != "projects" || found[0].Project != w.project || found[0].Problem != "rows of a project that does not exist" {
		t.Errorf("%+v", found)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.exec(`update young set count = count + 1`)
	found := w.verify(verify.Options{MaxFindings: 5})
	if len(found) != 6 || !strings.HasPrefix(found[5].Problem, "there are more findings") {
		t.Errorf("%+v", found)
	}
}

func TestRollupsWithoutALineAreFromBeforeThereWereAny(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.exec(`update rollup_day set area = 'NaN', increase = 'NaN'`)
	w.exec(`update rollup_hour set area = 'NaN', increase = 'NaN'`)
	if found := w.verify(verify.Options{}); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

func TestWhatRetentionDroppedIsNotMissed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.settle(first.AddDate(0, 2, 0))
	w.exec(`delete from chunk where series_id = $1`, busy)
	w.exec(`update projects set keep_readings_days = 10, keep_rollups_days = 1000`)
	later := func() []verify.Finding {
		found, err := verify.Run(t.Context(), w.pool, verify.Options{Now: first.AddDate(0, 2, 0)})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := later(); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	w.exec(`update projects set keep_readings_days = 100`)
	if found := later(); len(found) == 0 {
		t.Error("what was to be kept is not missed")
	}
}

func TestProgressCountsRowsAndBytes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var last verify.Progress
	told := 0
	w.verify(verify.Options{Progress: func(p verify.Progress) { last, told = p, told+1 }})
	if told == 0 || last.Project != 1 || last.Projects != 1 {
		t.Errorf("%d times, at last %+v", told, last)
	}
}
