package main_test

import (
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sendMonth sends a month of readings of 200 devices, ten minutes apart, with more different values than a rollup counts.
func sendMonth(t *testing.T, url, key string, from time.Time) {
	t.Helper()
	var times []int64
	for i := range 30 * 24 * 6 {
		times = append(times, from.Add(time.Duration(i)*10*time.Minute).UnixMilli())
	}
	for device := range 200 {
		values := make([]float64, len(times))
		for i := range values {
			values[i] = 20 + 10*math.Sin(float64(i+device)*math.Sqrt2)
		}
		body := map[string]any{"device": fmt.Sprint("boiler-", device), "metric": "temperature", "times": times, "values": values}
		if status, text := post(t, url+"/v1/readings", key, body, nil); status != http.StatusOK {
			t.Fatalf("send: %d %s", status, text)
		}
	}
}

// scalars returns the fields of a type that need no arguments and answer no object.
func scalars(t *testing.T, url, key, object string) (names []string) {
	t.Helper()
	type kind struct {
		Kind   string
		OfType *struct{ Kind string }
	}
	var a struct {
		Data struct {
			Type struct {
				Fields []struct {
					Name string
					Args []struct{ Type kind }
					Type kind
				}
			} `json:"__type"`
		}
	}
	_, text := post(t, url+"/graphql", key, map[string]any{
		"query":     `query ($name: String!) { __type(name: $name) { fields { name args { type { kind } } type { kind ofType { kind } } } } }`,
		"variables": map[string]any{"name": object},
	}, &a)
	for _, f := range a.Data.Type.Fields {
		is := f.Type.Kind
		if f.Type.OfType != nil {
			is = f.Type.OfType.Kind
		}
		required := false
		for _, arg := range f.Args {
			required = required || arg.Type.Kind == "NON_NULL"
		}
		if is == "SCALAR" && !required {
			names = append(names, f.Name)
		}
	}
	if len(names) < 5 {
		t.Fatalf("%s has the fields %v: %s", object, names, text)
	}
	return names
}

// Of rollups only those columns are read that are needed: a field says the same whether others are asked for or not.
func TestEachStatisticAloneIsWhatItIsAmongOthers(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	server := serve(t, "127.0.0.1:0", dir, "READOUT_PACK_EVERY=1s")
	const email = "owner@example.org"
	readout(t, "user", "create", email, "--generate", "--data-dir", dir)
	project := field(t, readout(t, "project", "create", "House", "--owner", email, "--data-dir", dir), "project")
	key := field(t, readout(t, "key", "create", "--project", project, "--data-dir", dir), "secret")
	from := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	sendMonth(t, server.url, key, from)

	ask := func(selection string) (bucket map[string]any, sources string) {
		t.Helper()
		var a struct {
			Data struct {
				Statistics []struct{ Total map[string]any }
			}
			Errors     []any
			Extensions struct{ Statistics []struct{ Sources []string } }
		}
		_, text := post(t, server.url+"/graphql", key, map[string]any{
			"query":      `query ($from: Time!, $to: Time!) { statistics(series: {}, range: {from: $from, to: $to}) { total { ` + selection + ` } } }`,
			"variables":  map[string]any{"from": from, "to": from.AddDate(0, 0, 20)},
			"extensions": map[string]any{"explain": true},
		}, &a)
		if len(a.Errors) > 0 || len(a.Data.Statistics) != 1 {
			t.Fatalf("%s: %s", selection, text)
		}
		return a.Data.Statistics[0].Total, strings.Join(a.Extensions.Statistics[0].Sources, " ")
	}
	var sources string
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(sources, "DAY"); {
		if _, sources = ask("count median"); time.Now().After(deadline) {
			t.Fatalf("the readings come from %s", sources)
		}
		time.Sleep(100 * time.Millisecond)
	}
	for object, around := range map[string][2]string{"Statistic": {"", ""}, "Boxplot": {"boxplot { ", " }"}} {
		names := scalars(t, server.url, key, object)
		all, _ := ask(around[0] + strings.Join(names, " ") + around[1])
		for _, name := range names {
			if name == "exact" { // it is about what else is asked
				continue
			}
			alone, _ := ask(around[0] + name + around[1])
			among := all
			if object == "Boxplot" {
				alone, among = alone["boxplot"].(map[string]any), all["boxplot"].(map[string]any)
			}
			if got, want := alone[name], among[name]; (want == nil && name != "label") || !sameStatistic(got, want) {
				t.Errorf("%s.%s alone is %v, among others %v", object, name, got, want)
			}
		}
	}
}

// sameStatistic allows for the sums of floating-point numbers in another order.
func sameStatistic(got, want any) bool {
	a, isNumber := got.(float64)
	b, alsoNumber := want.(float64)
	if isNumber && alsoNumber {
		return math.Abs(a-b) <= 1e-9*math.Abs(b)
	}
	return reflect.DeepEqual(got, want)
}
