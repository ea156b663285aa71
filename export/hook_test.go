package export

import "time"

// SetLimit makes answers given up earlier than after half a minute.
func (h *Statistics) SetLimit(d time.Duration) { h.limit = d }
