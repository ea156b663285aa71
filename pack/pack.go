package pack

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/readout-dev/readout/reading"
	"github.com/readout-dev/readout/store"
)

// packed is what one transaction packed.
type packed struct {
	upto int64   // the project is packed up to this offset now
	more bool    // there were more entries than one transaction takes
	days []int64 // starts of the days of its readings, µs
	came int     // readings of the entries
}

// packOnce packs what is unpacked of a project, as much as one transaction takes. When somebody else is at it, it returns
// errBusy.
func (w *worker) packOnce(ctx context.Context, project int64) (done packed, err error) {
	err = w.transaction(ctx, project, func(tx pgx.Tx) error {
		done = packed{}
		packedTo, head, err := store.PackedTo(ctx, tx, project)
		if err != nil {
			return err
		}
		done.upto = packedTo
		b := &w.batch
		if head <= packedTo {
			return nil
		}
		if err := b.load(ctx, tx, project, packedTo, w.sizes); err != nil {
			return err
		}
		b.settle()
		if err := w.deletePacked(ctx, tx, project, b); err != nil {
			return err
		}
		if done.days, err = w.writeBatch(ctx, tx, project, b); err != nil {
			return err
		}
		done.upto, done.more, done.came = b.upto, b.upto < head, b.came
		if err := store.SetPackedTo(ctx, tx, project, b.upto); err != nil {
			return err
		}
		return w.writeLatest(ctx, tx, project, b) // last: others want these rows too
	})
	return done, err
}

// writeBatch writes the readings of a batch: of each day a run for each block. It returns the days.
func (w *worker) writeBatch(ctx context.Context, tx pgx.Tx, project int64, b *batch) (days []int64, err error) {
	err = b.days(func(start int64, rs []reading.Reading) error {
		days = append(days, start)
		for len(rs) > 0 {
			block := store.YoungBlock(rs[0].Series)
			n := searchSeries(rs, (block+1)*store.BlockSeries)
			w.segments.begin(run{dateOf(start), block, b.since, b.upto, store.TierPacked}, w.sizes.Row)
			w.segments.add(rs[:n])
			w.queueYoung(w.segments.finish())
			rs = rs[n:]
			if len(w.segments.bytes) >= pieceBytes || len(w.young) >= pieceRows {
				if err := w.flushYoung(ctx, tx, project); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return days, w.flushYoung(ctx, tx, project)
}
