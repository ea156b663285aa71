package main

import (
	"bytes"
	"encoding/json"
	"hash/maphash"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/internal/sender"
	"github.com/readout-dev/readout/reading"
)

// importSeries is a series that a file names.
type importSeries struct {
	key  []byte // as the file names it
	hash uint64 // the same whenever the file names it, however
	head []byte // a body's object up to its times

	batch uint64 // the batch that has a place for it
	place int
}

// importKnown is the series of a file by what names them there.
type importKnown struct {
	seed   maphash.Seed
	series map[string]*importSeries // by what names them in the file, and by what that means: labels may stand in any order
	last   *importSeries            // the one before: lines of a series often follow each other
}

// maxImportKnown bounds the series that are remembered; at the bound it starts anew.
const maxImportKnown = 1 << 19

func newImportKnown() *importKnown {
	return &importKnown{seed: maphash.MakeSeed(), series: map[string]*importSeries{}}
}

// find returns the series that key names, nil for one that is new.
func (k *importKnown) find(key []byte) *importSeries {
	if k.last != nil && bytes.Equal(k.last.key, key) {
		return k.last
	}
	s := k.series[string(key)]
	if s != nil {
		k.last = s
	}
	return s
}

// add remembers what key names, or says what is wrong with it.
func (k *importKnown) add(key []byte, named reading.Series) (s *importSeries, what string) {
	if err := named.Check(); err != nil {
		return nil, fault.Of(err).Message
	}
	if len(k.series) >= maxImportKnown {
		clear(k.series)
	}
	identity, err := json.Marshal([]any{named.Device, named.Metric, named.Labels})
	if err != nil {
		panic(err) // text
	}
	meaning := string(identity) + named.Unit
	if s := k.series[meaning]; s != nil {
		k.series[string(key)] = s
		return s, ""
	}
	s = &importSeries{key: bytes.Clone(key), hash: maphash.Bytes(k.seed, identity)}
	object := sender.AppendColumn(nil, named.Device, named.Metric, named.Unit, named.Labels.Map(), nil, nil)
	s.head = bytes.TrimSuffix(object, []byte(importBetween+"]}"))
	k.series[meaning], k.series[string(s.key)], k.last = s, s, s
	return s, ""
}

// importBetween is what stands between the times and the values of a body's object.
const importBetween = `],"values":[`
