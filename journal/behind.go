package journal

import (
	"context"
	"maps"
	"slices"
	"time"
)

// catchUpEvery is how long the flusher waits before it tries again to bring views up to what is committed.
const catchUpEvery = time.Second

// behind is what the flusher owes the views: nothing, unless a read of the journal or an append went wrong.
type behind struct {
	projects map[int64]bool // an entry is committed that their views miss
	lost     []*commit      // given up with an outcome unknown: what they append may yet appear, and nobody would tell
	tried    time.Time      // when it was last tried to make up for it
}

func (b *behind) any() bool { return len(b.projects) > 0 || len(b.lost) > 0 }

// catchUpDue returns a channel that fires when catchUp is to be called; nil when there is nothing to make up for.
func (f *flusher) catchUpDue() <-chan time.Time {
	if !f.behind.any() {
		return nil
	}
	return time.After(time.Until(f.behind.tried.Add(catchUpEvery)))
}

// catchUpIfDue is for a flusher that is never idle.
func (f *flusher) catchUpIfDue(ctx context.Context) {
	if f.behind.any() && time.Since(f.behind.tried) >= catchUpEvery {
		f.catchUp(ctx)
	}
}

// catchUp tries again to bring the views of the projects that are behind up to what is committed.
func (f *flusher) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, attemptFor)
	defer cancel()
	f.behind.lost = slices.DeleteFunc(f.behind.lost, func(c *commit) bool {
		if c.find(ctx) != nil {
			return false // its backend lives, or the database is away
		}
		for project := range c.after {
			f.behind.projects[project] = true
			f.follower.tell(project)
		}
		return true
	})
	maps.DeleteFunc(f.behind.projects, func(project int64, _ bool) bool {
		err := f.follower.CatchUp(ctx, project)
		if err != nil {
			f.log.WarnContext(ctx, "follow the journal", "project", project, "error", err)
		}
		return err == nil
	})
	f.behind.tried = time.Now()
}
