package journal

import "time"

// Behind returns for how long the views have not had something of a followed project that is known to be committed, of the one
// that is behind the longest; 0 when they have everything.
func (f *Follower) Behind() time.Duration {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var longest time.Duration
	for _, p := range f.projects {
		if since := p.since(); !since.IsZero() {
			longest = max(longest, time.Since(since))
		}
	}
	return longest
}
