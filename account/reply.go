package account

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode"
)

func reply(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(body)
}

// done answers what there is nothing to say of.
func done(w http.ResponseWriter) error {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// sent answers what leads to a letter, whether an account exists or not.
func sent(w http.ResponseWriter) error {
	return reply(w, http.StatusAccepted, struct {
		Status string `json:"status"`
	}{"look into your mailbox"})
}

// printable returns the first bytes of text without what no terminal should be shown.
func printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, ""))
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
