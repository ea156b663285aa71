package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/readout-dev/readout/client"
)

// Prints temperatures as they come, across broken connections, from the last minute on. `readout demo` prints what demo returns.
func ExampleClient_Readings() {
	server, key := demo()
	c, err := client.New(server, client.Key(key))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	temperatures := client.ReadingsOptions{
		Series: map[string]any{"metric": "temperature"},
		From:   time.Now().Add(-time.Minute),
	}
	count := 0
	for event, err := range c.Readings(ctx, temperatures) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if event.Anew {
			count = 0 // history begins again: forget what there was
		}
		for _, r := range event.Readings {
			fmt.Println(r.Series.Metric, r.Series.Unit, r.Value > -20)
			if count++; count == 3 {
				return
			}
		}
	}

	// Output:
	// temperature Cel true
	// temperature Cel true
	// temperature Cel true
}

// Any query can be live. This one has no cursor: after a broken connection its whole answer comes again.
func ExampleClient_Subscribe() {
	server, key := demo()
	c, err := client.New(server, client.Key(key))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	devices := client.Request{Query: `subscription { live { devices { totalCount } } }`}
	for event, err := range c.Subscribe(ctx, devices) {
		if err != nil {
			fmt.Println(err)
			return
		}
		var data struct {
			Live struct {
				Devices struct{ TotalCount int }
			}
		}
		if err := json.Unmarshal(event.Data, &data); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("devices:", data.Live.Devices.TotalCount)
		break
	}

	// Output:
	// devices: 8
}

func ExampleClient_Query() {
	server, key := demo()
	c, err := client.New(server, client.Key(key))
	if err != nil {
		fmt.Println(err)
		return
	}
	var data struct {
		Devices struct {
			Edges []struct{ Node struct{ Name string } }
		}
	}
	query := `query ($first: Int!) { devices(first: $first, orderBy: {field: NAME}) { edges { node { name } } } }`
	if err := c.Query(context.Background(), query, map[string]any{"first": 2}, &data); err != nil {
		fmt.Println(err)
		return
	}
	for _, edge := range data.Devices.Edges {
		fmt.Println(edge.Node.Name)
	}

	// Output:
	// basil
	// cucumbers
}
