package pack_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/pack"
	"github.com/readout-dev/readout/reading"
)

// before is a tracer that calls do once, right before the first statement that begins with sql.
type before struct {
	sql string
	do  func()
}

func (b *before) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	if do := b.do; do != nil && strings.HasPrefix(strings.TrimSpace(q.SQL), b.sql) {
		b.do = nil
		do()
	}
	return ctx
}

func (*before) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// A month of long ago that nobody has rows in is dropped. While a settle fills it, nobody can see that somebody has.
func TestTheKeeperSparesAMonthThatIsBeingSettled(t *testing.T) {
	t.Parallel()
	url := testdb.URL(t)
	observer := testdb.Open(t, url)
	settling := &before{sql: "delete from young"} // which comes when all else is written
	s := newSite(t, observer, pack.Config{})
	s.Packer = pack.New(tracedPool(t, url, settling), pack.Config{Sizes: tiny})
	keeper := pack.NewKeeper(observer, pack.KeeperConfig{})
	s.append(every(time.Minute, 4, "2025-01-05 10:00:00", 50, number)...)
	s.pack()

	came := false
	settling.do = func() {
		came = true
		_ = keeper.Keep(t.Context(), time.Now()) // it cannot lock the month
	}
	s.settle(clock("2025-01-06 02:00:00"))

	if !came {
		t.Fatal("the keeper did not come while the day was being settled")
	}
	s.check()
	s.remove(reading.DeleteAll(4))
	s.pack()
	if err := keeper.Keep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	s.check()
}
