package transport

import "testing"

func TestEventKeepsTogetherWhateverItHolds(t *testing.T) {
	t.Parallel()
	f := func(op, cursor, body, want string) {
		t.Helper()
		if got := string(nextEvent(nil, op, &Answer{Mark: Mark{Cursor: cursor}, Body: []byte(body)})); got != "event: next\n"+want+"\n\n" {
			t.Errorf("got %q", got)
		}
	}
	f("", "", `{"data":1}`, `data: {"data":1}`)
	f("", "c", `{"data":1}`, "id: c\n"+`data: {"data":1}`)
	f("", "c\n", `{"data":1}`, `data: {"data":1}`)
	f(`"x"`, "c", `{"data":1}`, `data: {"id":"x","payload":{"data":1}}`)
	f("", "", "{\n\"data\":\r\n1}\n", `data: { "data":  1} `)
}
