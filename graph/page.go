package graph

import (
	"github.com/readout-dev/readout/internal/fault"
)

// The size of a page when none is asked for, and the largest that may be.
const (
	defaultPage = 50
	maxPage     = 1000
)

// pageSize checks first or last of a list; nil is the default.
func pageSize(asked *int) (int, error) {
	if asked == nil {
		return defaultPage, nil
	}
	if *asked < 1 || *asked > maxPage {
		return 0, fault.New(fault.Invalid, "a page has 1 to %d items", maxPage)
	}
	return *asked, nil
}

// page bounds the arguments of a connection: without first and last it is the first page.
func page(first, last *int) (*int, *int, error) {
	if first != nil && last != nil {
		return nil, nil, fault.New(fault.Invalid, "ask for first or for last, not for both")
	}
	if last != nil {
		_, err := pageSize(last)
		return nil, last, err
	}
	n, err := pageSize(first)
	return &n, nil, err
}
