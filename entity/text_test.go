package entity_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/readout-dev/readout/entity"
)

func TestChangeIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		number := rapid.Int64()
		c := entity.Change{
			Kind:    entity.Kind(rapid.IntRange(int(entity.Created), int(entity.Missed)).Draw(rt, "kind")),
			Type:    entity.Type(1) << rapid.IntRange(0, 6).Draw(rt, "type"),
			ID:      number.Draw(rt, "id"),
			Project: number.Draw(rt, "project"),
			User:    number.Draw(rt, "user"),
			At:      number.Draw(rt, "at"),
		}
		if c.Kind == entity.Missed {
			c.Type = 0
		}
		text, err := c.AppendText([]byte("x"))
		var got entity.Change
		if err == nil {
			err = got.UnmarshalText(text[1:])
		}
		if err != nil || got != c {
			rt.Errorf("%+v became %q and %+v, %v", c, text, got, err)
		}
	})
}

// Processes of two versions work on one database while one takes over from the other: the text stays as it is.
func TestTextOfAChange(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]entity.Change{
		"cp1,1,0,9":  {Kind: entity.Created, Type: entity.Project, ID: 1, Project: 1, At: 9},
		"um2,1,3,9":  {Kind: entity.Updated, Type: entity.Member, ID: 2, Project: 1, User: 3, At: 9},
		"dd2,1,0,9":  {Kind: entity.Deleted, Type: entity.Device, ID: 2, Project: 1, At: 9},
		"cs2,1,0,9":  {Kind: entity.Created, Type: entity.Series, ID: 2, Project: 1, At: 9},
		"dk2,1,0,-9": {Kind: entity.Deleted, Type: entity.Key, ID: 2, Project: 1, At: -9},
		"uu2,0,2,9":  {Kind: entity.Updated, Type: entity.User, ID: 2, User: 2, At: 9},
		"m-0,7,0,9":  {Kind: entity.Missed, Project: 7, At: 9},
	} {
		if got, _ := c.AppendText(nil); string(got) != text {
			t.Errorf("%+v is %q, want %q", c, got, text)
		}
		var got entity.Change
		if err := got.UnmarshalText([]byte(text)); err != nil || got != c {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, c)
		}
	}
	longest := entity.Change{Kind: 1, Type: 1, ID: math.MinInt64, Project: math.MinInt64, User: math.MinInt64, At: math.MinInt64}
	if text, _ := longest.AppendText(nil); len(text) > 90 {
		t.Errorf("%q has %d bytes", text, len(text))
	}
}

func TestWhatIsNoChangeIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "c", "cp", "cp1,1,0", "cp1,1,0,9,9", "xp1,1,0,9", "cx1,1,0,9", "-p1,1,0,9", "c-1,1,0,9", "mp1,1,0,9", "cp,1,0,9",
		"cp1,1,0,99999999999999999999", "cp1,1,0,9 ",
	} {
		kept := entity.Change{ID: 5}
		if err := kept.UnmarshalText([]byte(text)); err == nil || kept.ID != 5 {
			t.Errorf("%q is %+v", text, kept)
		}
	}
}
