package transport

// framed is an answer as a WebSocket frame, for the operations of one id.
type framed struct {
	quotedID string
	frame    []byte
}

// frameFor returns the frame of the answer for operations of this id, which whoever asks first has made once for all of them;
// nil for those of another id. Many clients have one operation and call it by the same id.
func (a *Answer) frameFor(quotedID string) []byte {
	f := a.framed.Load()
	if f == nil {
		f = &framed{quotedID, appendFrame(nil, quotedID, a)}
		a.framed.Store(f)
	}
	if f.quotedID != quotedID {
		return nil
	}
	return f.frame
}

// aroundAnswer is what appendAnswer adds to an id and a body.
const aroundAnswer = `{"id":,"type":"` + typeNext + `","payload":}`

// appendFrame appends a next message as a frame.
func appendFrame(b []byte, quotedID string, a *Answer) []byte {
	b = appendTextHead(b, len(aroundAnswer)+len(quotedID)+len(a.Body))
	return appendAnswer(b, quotedID, a)
}
