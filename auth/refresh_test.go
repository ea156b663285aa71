package auth_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/readout-dev/readout/auth"
	"github.com/readout-dev/readout/internal/fault"
)

func TestRefreshTokensOfASessionAreOfOneFamily(t *testing.T) {
	t.Parallel()
	first := auth.NewRefresh()
	next := first.Next()
	read, err := auth.ParseRefresh(next.Secret)
	if err != nil || read != next {
		t.Fatalf("got %v, %v", read, err)
	}
	if next.Family != first.Family || next.Hash == first.Hash {
		t.Error("the next token is not another one of the family")
	}
	if other := auth.NewRefresh(); other.Family == first.Family {
		t.Error("two sessions are of one family")
	}
}

func TestMistypedRefreshTokenIsRefused(t *testing.T) {
	t.Parallel()
	good := auth.NewRefresh().Secret
	flipped := []byte(good)
	if flipped[20]++; flipped[20] > 'z' || flipped[20] == ':' || flipped[20] == '[' {
		flipped[20] = '0'
	}
	for name, secret := range map[string]string{
		"empty": "", "a key": auth.GenerateKey(auth.DeviceKey).Secret, "one character else": string(flipped),
		"short": good[:len(good)-1], "long": good + "0", "NUL": good[:30] + "\x00" + good[31:], "prefix": strings.Replace(good, "ref", "REF", 1),
	} {
		if _, err := auth.ParseRefresh(secret); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRefreshTokenIsNotPrinted(t *testing.T) {
	t.Parallel()
	r := auth.NewRefresh()
	written, _ := json.Marshal(r)
	if text := fmt.Sprintf("%v %+v %#v %s %q %s", r, r, r, r, r, written); strings.Contains(text, r.Secret) {
		t.Errorf("the secret is in %s", text)
	}
}
