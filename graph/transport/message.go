package transport

import (
	"encoding/json"

	"github.com/readout-dev/readout/internal/fault"
)

// Subprotocol is the one WebSocket subprotocol that is spoken here.
const Subprotocol = "graphql-transport-ws"

// The types of messages, https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
const (
	typeInit      = "connection_init"
	typeAck       = "connection_ack"
	typePing      = "ping"
	typePong      = "pong"
	typeSubscribe = "subscribe"
	typeNext      = "next"
	typeError     = "error"
	typeComplete  = "complete"
)

// Close codes of the subprotocol; 4400 for a message that is none.
const (
	closeBadMessage   = 4400
	closeNoAck        = 4401
	closeForbidden    = 4403
	closeNoProtocol   = 4406
	closeInitTimeout  = 4408
	closeDuplicate    = 4409
	closeTooManyInits = 4429
)

// maxID is the longest id of an operation in bytes; clients use UUIDs or small numbers.
const maxID = 128

// message is what a client may say.
type message struct {
	kind    string
	id      string         // of subscribe and complete
	payload map[string]any // of subscribe, connection_init, ping and pong; nil where there is none
}

// parseMessage reads one message of a client. Whatever the protocol does not know is a fault, which closes the socket.
func parseMessage(data []byte) (message, error) {
	members, err := decodeObject(data)
	if err != nil {
		return message{}, err
	}
	var m message
	if err := member(members, "type", "a string", &m.kind); err != nil {
		return message{}, err
	}
	if err := member(members, "payload", "an object or null", &m.payload); err != nil {
		return message{}, err
	}
	switch m.kind {
	case typeInit, typePing, typePong:
		return m, nil
	case typeSubscribe, typeComplete:
		return m, m.readID(members)
	}
	return message{}, fault.New(fault.Invalid, "unknown message type")
}

func (m *message) readID(members map[string]any) error {
	if err := member(members, "id", "a string", &m.id); err != nil {
		return err
	}
	if m.id == "" || len(m.id) > maxID {
		return fault.New(fault.Invalid, "id must have 1 to %d bytes", maxID)
	}
	return nil
}

// raw returns the payload as JSON, or nil where there is none.
func (m *message) raw() json.RawMessage {
	if m.payload == nil {
		return nil
	}
	return json.RawMessage(encode(m.payload))
}

// appendBare appends a message without payload. The quotedID is JSON, or empty for messages without one.
func appendBare(b []byte, kind, quotedID string) []byte {
	return append(appendType(b, kind, quotedID), '}')
}

// appendHead appends the beginning of a message up to its payload, which the caller appends with a closing brace.
func appendHead(b []byte, kind, quotedID string) []byte {
	return append(appendType(b, kind, quotedID), `,"payload":`...)
}

func appendType(b []byte, kind, quotedID string) []byte {
	b = append(b, '{')
	if quotedID != "" {
		b = append(b, `"id":`...)
		b = append(b, quotedID...)
		b = append(b, ',')
	}
	b = append(b, `"type":"`...)
	b = append(b, kind...)
	return append(b, '"')
}
