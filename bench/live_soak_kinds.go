package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/readout-dev/readout/client"
)

// soakKind is a kind of subscription; device is one that it may be about.
type soakKind struct {
	name string
	make func(s *soak, device int) *interest
}

var (
	soakAll   = soakKind{"all readings", func(s *soak, _ int) *interest { return s.readingsOf(`{}`, everyDevice...) }}
	soakChart = soakKind{"readings with history", (*soak).chart}

	soakKinds = []soakKind{
		soakChart,
		soakAll,
		{"readings from now on", func(s *soak, d int) *interest { return s.readingsOf(named(d), d) }},
		{"statistics", (*soak).statistics},
		{"live query", (*soak).latest},
		{"live query as patches", (*soak).patches},
		{"deviceStatus", anything(`subscription { deviceStatus(silentAfter: "PT1M") { device { name } state lastSeen } }`)},
		{"changes", anything(`subscription { changes(of: [DEVICE, SERIES]) { kind type id at } }`)},
	}
)

// named is the filter of a device's series.
func named(device int) string { return fmt.Sprintf(`{hasDeviceWith: {name: "d%d"}}`, device) }

// chart is a device's readings from some time ago.
func (s *soak) chart(device int) *interest {
	i := s.readingsOf(named(device), device)
	i.first = s.noteAcked()
	i.request.Variables["from"] = time.Now().Add(-10*time.Second - rand.N(time.Minute)).Format(time.RFC3339Nano)
	if rand.IntN(2) == 0 {
		i.request.Variables["maxRate"] = 1 + rand.IntN(5)
	}
	return i
}

// patches is latest, told as patches.
func (s *soak) patches(device int) *interest {
	i := s.latest(device)
	i.request.Extensions = map[string]any{"patch": true}
	i.hear, i.devices = inRevisions(), nil
	return i
}

// anything looks at nothing of what comes.
func anything(query string) func(*soak, int) *interest {
	return func(*soak, int) *interest {
		return &interest{request: client.Request{Query: query}, hear: func(client.Event) error { return nil }}
	}
}
