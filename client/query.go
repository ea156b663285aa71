package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Query executes a query or a mutation and decodes the answer's data into what into points to; nil: it is not wanted.
//
// The error is Errors where the answer has some: what data it has all the same is in into. It is a *StatusError for an answer
// that is none of GraphQL. Nothing is tried twice.
func (c *Client) Query(ctx context.Context, query string, variables map[string]any, into any) error {
	token, err := c.token(ctx)
	if err != nil {
		return err
	}
	body, err := json.Marshal(Request{Query: query, Variables: variables})
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json, application/json")
	req.Header.Set("Authorization", "Bearer "+token.Text)
	resp, err := c.http().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	told, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	var a answer
	if err := json.Unmarshal(told, &a); err != nil || a.Data == nil && a.Errors == nil {
		return statusOf(resp, told)
	}
	return a.into(into)
}

type answer struct {
	Data   json.RawMessage
	Errors Errors
}

func (a answer) into(v any) error {
	if v != nil && a.Data != nil {
		if err := json.Unmarshal(a.Data, v); err != nil && a.Errors == nil {
			return fmt.Errorf("read the answer's data: %w", err)
		}
	}
	if len(a.Errors) > 0 {
		return a.Errors
	}
	return nil
}
