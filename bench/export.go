package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// countExported returns how many readings the project has, as GET /v1/export gives them back.
func (b *bed) countExported(ctx context.Context) (n int64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/v1/export?format=csv", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+b.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("export: %s", resp.Status)
	}
	n = -1 // the header
	for in := bufio.NewReaderSize(resp.Body, 1<<16); ; n++ {
		if _, err := in.ReadSlice('\n'); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, fmt.Errorf("export: %w", err)
		}
	}
}
