package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/readout-dev/readout/internal/fault"
	"github.com/readout-dev/readout/reading"
)

// acceptedBodies are bodies that a key of device "d" may send; those of refusedBodies are sent with a project's key.
var acceptedBodies = []string{
	`{"metric":"m","value":1}`,
	`{"device":"d","metric":"m","value":1}`,
	` { "metric" : "m" , "value" : -0.5e+1 } ` + "\n",
	`[{"metric":"m","value":1},{"metric":"m","value":2,"time":0}]`,
	"{\"metric\":\"m\",\"value\":1}\n{\"metric\":\"m\",\"value\":2}\n",
	"{\"metric\":\"m\",\n\"value\":1}\r\n\r\n\t{\"metric\":\"m\",\"value\":2}",
	`{"values":{"a":1,"b":2.25,"c":-0}}`,
	`{"values":{"a":1},"labels":{"z":"1","a":"\"\\"},"time":"2025-11-21T10:00:00.123456789+02:00"}`,
	`{"metric":"m","times":[1,2,"2025-11-21T10:00:00Z"],"values":[1e22,12345678901234567890,0.1],"unit":"Cel","labels":{}}`,
	`{"m\u0065tric":"\u00e9\ud83d\ude00é😀\/","value":5e-324}`,
}

func TestDecoderReadsWhatTheReferenceReads(t *testing.T) {
	t.Parallel()
	var d Decoder
	for _, body := range acceptedBodies {
		opt := Options{Now: benchNow, Device: "d", Precision: Seconds}
		want, err := reference([]byte(body), opt)
		if err != nil {
			t.Errorf("%s\nthe reference refuses it", body)
		}
		batch, err := d.Decode([]byte(body), opt)
		if err != nil || !slices.EqualFunc(sentOf(batch), want, sameSent) {
			t.Errorf("%s\ngot %v, %v, want %v", body, batch, err, want)
		}
	}
}

func TestEachShapeBecomesReadings(t *testing.T) {
	t.Parallel()
	const ten = 1_763_719_200_000_000 // 2025-11-21T10:00:00Z
	f := func(body string, series []reading.Series, readings ...reading.Reading) {
		t.Helper()
		var d Decoder
		batch, err := d.Decode([]byte(body), Options{Now: benchNow})
		if err != nil || !slices.Equal(batch.Series, series) || !slices.Equal(batch.Readings, readings) {
			t.Errorf("%s\ngot %+v, %v", body, batch, err)
		}
	}
	f(`{"device": "boiler-7", "time": "2025-11-21T10:00:00Z", "values": {"temperature": 21.5, "humidity": 40}}`,
		[]reading.Series{{Device: "boiler-7", Metric: "temperature", Labels: "{}"}, {Device: "boiler-7", Metric: "humidity", Labels: "{}"}},
		reading.Reading{Series: 0, Time: ten, Value: 21.5}, reading.Reading{Series: 1, Time: ten, Value: 40})
	f(`{"device": "boiler-7", "time": "2025-11-21T10:00:00Z", "metric": "temperature", "value": 21.5, "labels": {"room": "2"}, "unit": "Cel"}`,
		[]reading.Series{{Device: "boiler-7", Metric: "temperature", Labels: `{"room":"2"}`, Unit: "Cel"}},
		reading.Reading{Series: 0, Time: ten, Value: 21.5})
	f(`{"device": "boiler-7", "metric": "temperature", "times": [1763719200000, 1763719210000], "values": [21.5, 21.6]}`,
		[]reading.Series{{Device: "boiler-7", Metric: "temperature", Labels: "{}"}},
		reading.Reading{Series: 0, Time: ten, Value: 21.5}, reading.Reading{Series: 0, Time: ten + 10_000_000, Value: 21.6})
	f(`[{"device":"b","values":{"y":1}},{"device":"a","values":{"y":2,"x":3}},{"device":"b","values":{"y":4}}]`,
		[]reading.Series{{Device: "b", Metric: "y", Labels: "{}"}, {Device: "a", Metric: "y", Labels: "{}"}, {Device: "a", Metric: "x", Labels: "{}"}},
		reading.Reading{Series: 0, Time: benchNow, Value: 1}, reading.Reading{Series: 1, Time: benchNow, Value: 2},
		reading.Reading{Series: 2, Time: benchNow, Value: 3}, reading.Reading{Series: 0, Time: benchNow, Value: 4})
}

func withFields(fields string) string { return `{"device":"d",` + fields + `}` }
func withValue(v string) string       { return withFields(`"metric":"m","value":` + v) }
func withTime(t string) string        { return withFields(`"metric":"m","value":1,"time":` + t) }

var deep = strings.Repeat("[", 100_000)

var refusedBodies = []struct {
	code  fault.Code
	index int // -1: the fault names no item
	body  string
}{
	{fault.EmptyBody, -1, ""},
	{fault.EmptyBody, -1, " \r\n\t"},
	{fault.EmptyBody, -1, "[]"},
	{fault.Malformed, -1, "\xef\xbb\xbf" + withValue("1")},

	{fault.Malformed, 0, withValue("1") + withValue("2")},
	{fault.Malformed, 0, withValue("1") + " " + withValue("2")},
	{fault.Malformed, 0, withValue("1") + "\x00"},
	{fault.Malformed, 1, withValue("1") + "\n\x00"},
	{fault.Malformed, 0, withValue("1") + "x"},
	{fault.Malformed, 0, withValue("1") + ","},
	{fault.Malformed, -1, "[" + withValue("1") + "]\n" + withValue("1")},
	{fault.Malformed, 0, "[" + withValue("1")},
	{fault.Malformed, 1, "[" + withValue("1") + ",]"},
	{fault.Malformed, 1, "[" + withValue("1") + "," + withValue("1")[:10]},
	{fault.Malformed, 0, "{"},
	{fault.Malformed, 0, `{"device"`},
	{fault.Malformed, 0, `{"device":`},
	{fault.Malformed, 0, `{"device" "d"}`},
	{fault.Malformed, 0, `{"device":"d"`},
	{fault.Malformed, 0, `{"device":"d",}`},
	{fault.Malformed, 0, `{device:"d"}`},
	{fault.Malformed, -1, `nul`},
	{fault.Malformed, -1, "01"},
	{fault.Malformed, 0, withFields(`"values":{a:1}`)},
	{fault.Malformed, 0, withFields(`"values":{"a",1}`)},
	{fault.Malformed, 0, withFields(`"values":{"a":1]`)},
	{fault.Malformed, 0, withFields(`"metric":"m","times":[1},"values":[1]`)},
	{fault.Malformed, 0, withFields(`"metric":"m","times":[1],"values":[1 1]`)},
	{fault.Malformed, 0, withFields(`"labels":{"a":"1"]`)},
	{fault.Malformed, 0, withValue("NaN")},
	{fault.Malformed, 0, withValue("Infinity")},
	{fault.Malformed, 0, withValue("-Infinity")},
	{fault.Malformed, 0, withValue("0x10")},
	{fault.Malformed, 0, withValue("01")},
	{fault.Malformed, 0, withValue("-01")},
	{fault.Malformed, 0, withValue("1.")},
	{fault.Malformed, 0, withValue(".5")},
	{fault.Malformed, 0, withValue("+1")},
	{fault.Malformed, 0, withValue("-")},
	{fault.Malformed, 0, withValue("1e")},
	{fault.Malformed, 0, withValue("1e+")},
	{fault.Malformed, 0, withValue("1_000")},
	{fault.Malformed, 0, withValue("tru")},
	{fault.Malformed, 0, withTime("01")},
	{fault.Malformed, 0, withTime("1.")},
	{fault.Malformed, 0, withFields("\"metric\":\"a\tb\",\"value\":1")},
	{fault.Malformed, 0, withFields("\"metric\":\"a\x00b\",\"value\":1")},
	{fault.Malformed, 0, withFields(`"metric":"\x","value":1`)},
	{fault.Malformed, 0, withFields(`"metric":"\u12","value":1`)},
	{fault.Malformed, 0, withFields(`"metric":"\`)},
	{fault.Malformed, 0, withFields(`"metric":"\ud83d\u`)},

	{fault.ValueRange, 0, withValue("1e999")},
	{fault.ValueRange, 0, withValue("-1e999")},
	{fault.ValueRange, 0, withValue("1e-400")},
	{fault.ValueRange, 0, withValue("0." + strings.Repeat("0", 400) + "1")},
	{fault.ValueRange, 0, withFields(`"values":{"a":1,"b":1e999}`)},

	{fault.ValueType, 0, withValue(`"21.5"`)},
	{fault.ValueType, 0, withValue("true")},
	{fault.ValueType, 0, withValue("null")},
	{fault.ValueType, 0, withValue("[1]")},
	{fault.ValueType, 0, withValue("{}")},
	{fault.ValueType, 0, withValue(deep)},
	{fault.ValueType, 0, withFields(`"values":{"a":` + deep)},
	{fault.ValueType, 0, withFields(`"values":{"a":null}`)},
	{fault.ValueType, 0, withFields(`"values":5`)},
	{fault.ValueType, 0, withFields(`"metric":"m","values":["1"],"times":[1]`)},
	{fault.ValueType, 0, withFields(`"metric":5,"value":1`)},
	{fault.ValueType, 0, withFields(`"metric":null,"value":1`)},
	{fault.ValueType, 0, withFields(`"metric":"m","value":1,"unit":1`)},
	{fault.ValueType, 0, withFields(`"metric":"m","value":1,"labels":null`)},
	{fault.ValueType, 0, withFields(`"metric":"m","value":1,"labels":{"a":1}`)},
	{fault.ValueType, 0, withFields(`"metric":"m","times":1,"values":[1]`)},
	{fault.ValueType, 0, `{"device":1}`},
	{fault.ValueType, 0, withTime("true")},
	{fault.ValueType, 0, withTime("null")},
	{fault.ValueType, 0, withTime("{}")},
	{fault.ValueType, -1, `"text"`},
	{fault.ValueType, -1, `null`},
	{fault.ValueType, 1, "[" + withValue("1") + ",5]"},
	{fault.ValueType, 0, "[" + deep},
	{fault.ValueType, 1, withValue("1") + "\n[" + withValue("1") + "]"},

	{fault.UnknownField, 0, `{"VALUE":5}`},
	{fault.UnknownField, 0, withFields(`"metric":"m","vlaue":1`)},
	{fault.UnknownField, 0, withFields(`"metric":"m","Value":1`)},
	{fault.UnknownField, 0, withFields(`"":1`)},
	{fault.UnknownField, 0, withFields(`"time\"x":1`)},
	{fault.UnknownField, 1, withValue("1") + "\n" + withFields(`"valuess":1`)},
	{fault.DuplicateField, 0, withFields(`"metric":"m","value":1,"value":1`)},
	{fault.DuplicateField, 0, withFields(`"metric":"m","v\u0061lue":1,"value":1`)},
	{fault.DuplicateField, 0, withFields(`"values":{"a":1,"b":2,"\u0061":1}`)},
	{fault.DuplicateField, 0, withFields(`"metric":"m","value":1,"labels":{"a":"1","b":"2","a":"1"}`)},
	{fault.MissingField, 0, `{}`},
	{fault.MissingField, 0, `{"metric":"m","value":1}`},
	{fault.MissingField, 0, withFields(`"value":1`)},
	{fault.MissingField, 0, withFields(`"metric":"m"`)},
	{fault.MissingField, 0, withFields(`"metric":"m","times":[1]`)},
	{fault.MissingField, 0, withFields(`"metric":"m","values":[1]`)},
	{fault.MissingField, 0, withFields(`"times":[1],"values":[1]`)},
	{fault.MissingField, 2, "[" + withValue("1") + "," + withValue("1") + ",{}]"},

	{fault.Invalid, 0, withFields(`"values":{}`)},
	{fault.Invalid, 0, withFields(`"metric":"m","times":[],"values":[]`)},
	{fault.Invalid, 0, withFields(`"metric":"m","times":[1,2],"values":[1]`)},
	{fault.Invalid, 0, withFields(`"metric":"m","times":[],"values":[1]`)},
	{fault.Invalid, 0, withFields(`"metric":"m","times":[1],"values":[1],"time":1`)},
	{fault.Invalid, 0, withFields(`"metric":"m","times":[1],"value":1`)},
	{fault.Invalid, 0, withFields(`"metric":"m","value":1,"values":{"a":1}`)},
	{fault.Invalid, 0, withFields(`"unit":"Cel","values":{"a":1}`)},
	{fault.Invalid, 0, withFields(`"metric":"m","values":{"a":1}`)},
	{fault.Invalid, 0, withFields(`"times":[1],"values":{"a":1}`)},

	{fault.TimeInvalid, 0, withTime(`"2024-02-30T00:00:00Z"`)},
	{fault.TimeInvalid, 0, withTime(`"2024-01-01T24:00:00Z"`)},
	{fault.TimeInvalid, 0, withTime(`"2024-01-01T00:00:60Z"`)},
	{fault.TimeInvalid, 0, withTime(`"2024-01-01T00:00:00+25:00"`)},
	{fault.TimeInvalid, 0, withTime(`"2024-01-01T00:00:00"`)},
	{fault.TimeInvalid, 0, withTime(`"2024-01-01 00:00:00"`)},
	{fault.TimeInvalid, 0, withTime(`"2024-01-01 00:00:00Z"`)},
	{fault.TimeInvalid, 0, withTime(`"0000-01-01T00:00:00Z"`)},
	{fault.TimeInvalid, 0, withTime(`"1677-09-20T00:00:00Z"`)},
	{fault.TimeInvalid, 0, withTime(`"1969-12-31T23:59:59.9999999Z"`)},
	{fault.TimeInvalid, 0, withTime(`"2262-04-12T00:00:00Z"`)},
	{fault.TimeInvalid, 0, withTime(`"9999-12-31T00:00:00Z"`)},
	{fault.TimeInvalid, 0, withTime(`"10000-01-01T00:00:00Z"`)},
	{fault.TimeInvalid, 0, withTime(`""`)},
	{fault.TimeInvalid, 0, withTime(`"2o24-01-01T00:00:00Z"`)},
	{fault.TextInvalid, 0, withTime(`"2024-01-01T00:00:00Z\ud800"`)},
	{fault.TimeInvalid, 0, withTime("-1")},
	{fault.TimeInvalid, 0, withTime("1.5")},
	{fault.TimeInvalid, 0, withTime("1e3")},
	{fault.TimeInvalid, 0, withTime("9223372036854775807")},
	{fault.TimeInvalid, 0, withTime("999999999999999999")},
	{fault.TimeInvalid, 0, withTime("12345678901234567890123")},
	{fault.TimeInvalid, 0, withTime(fmt.Sprint((benchNow+reading.MaxAhead)/1000 + 1))},
	{fault.TimeInvalid, 0, withFields(`"metric":"m","times":[1,-1],"values":[1,2]`)},

	{fault.TextInvalid, 0, withFields(`"metric":"a\u0000b","value":1`)},
	{fault.TextInvalid, 0, withFields(`"metric":"\ud800","value":1`)},
	{fault.TextInvalid, 0, withFields(`"metric":"\ud800\u0041","value":1`)},
	{fault.TextInvalid, 0, withFields(`"metric":"\udc00\ud800","value":1`)},
	{fault.TextInvalid, 0, withFields("\"metric\":\"\xff\xfe\",\"value\":1")},
	{fault.TextInvalid, 0, withFields("\"metric\":\"\\n\xff\",\"value\":1")},
	{fault.TextInvalid, 0, withFields("\"\xff\":1")},
	{fault.TextInvalid, 0, withFields(`"values":{"\u0000":1}`)},
	{fault.TextInvalid, 0, withFields(`"metric":" m","times":[1],"values":[1]`)},
	{fault.TextInvalid, 0, withFields(`"metric":"a\nb","value":1`)},
	{fault.TextInvalid, 0, withFields(`"metric":"","value":1`)},
	{fault.TextInvalid, 0, withFields(`"metric":" m","value":1`)},
	{fault.TextInvalid, 0, withFields("\"metric\":\"\u202e\",\"value\":1")},
	{fault.TextInvalid, 0, withFields(`"metric":"` + strings.Repeat("m", 129) + `","value":1`)},
	{fault.TextInvalid, 0, withFields(`"values":{"a":1,"b\u007f":1}`)},
	{fault.TextInvalid, 0, withFields(`"metric":"m","value":1,"labels":{"":"1"}`)},
	{fault.TextInvalid, 0, withFields(`"metric":"m","value":1,"labels":` + manyLabels(17))},
	{fault.TextInvalid, 0, `{"device":"","metric":"m","value":1}`},
}

func manyLabels(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"l%d":""`, i)
	}
	return "{" + b.String()[1:] + "}"
}

func TestBadBodiesAreRefusedWithTheirCode(t *testing.T) {
	t.Parallel()
	var d Decoder
	for _, c := range refusedBodies {
		batch, err := d.Decode([]byte(c.body), Options{Now: benchNow})
		short := c.body[:min(len(c.body), 200)]
		if !fault.Is(err, c.code) || batch != nil {
			t.Errorf("%q\ngot %v, %v, want %s", short, batch, err, c.code)
			continue
		}
		index := -1
		if i := fault.Of(err).Index; i != nil {
			index = *i
		}
		if index != c.index {
			t.Errorf("%q\nthe fault is in item %d, want %d", short, index, c.index)
		}
		if m := fault.Of(err).Message; len(m) > 300 || strings.Contains(m, "\x00") {
			t.Errorf("%q\nmessage %q", short, m)
		}
	}
}

func TestDeviceKeySendsForItsDeviceOnly(t *testing.T) {
	t.Parallel()
	var d Decoder
	opt := Options{Now: benchNow, Device: "d"}
	if _, err := d.Decode([]byte(`{"device":"e","metric":"m","value":1}`), opt); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another device: %v", err)
	}
	if _, err := d.Decode([]byte(`{"device":"","metric":"m","value":1}`), opt); !fault.Is(err, fault.Forbidden) {
		t.Errorf("no device's name: %v", err)
	}
	batch, err := d.Decode([]byte(`[{"metric":"m","value":1},{"device":"d","metric":"m","value":1}]`), opt)
	if err != nil || len(batch.Series) != 1 || batch.Series[0].Device != "d" {
		t.Errorf("got %v, %v", batch, err)
	}
}

func TestIntegerTimesAreInThePrecisionAsked(t *testing.T) {
	t.Parallel()
	f := func(p Precision, integer string, want int64) {
		t.Helper()
		var d Decoder
		batch, err := d.Decode([]byte(withTime(integer)), Options{Now: benchNow, Precision: p})
		if err != nil || batch.Readings[0].Time != want {
			t.Errorf("%v %s: %v, %v", p, integer, batch, err)
		}
	}
	f(Seconds, "1763719200", 1_763_719_200_000_000)
	f(Milliseconds, "1763719200123", 1_763_719_200_123_000)
	f(Microseconds, "1763719200123456", 1_763_719_200_123_456)
	f(Nanoseconds, "176371920012345678", 176_371_920_012_345)
	f(Milliseconds, "0", 0)
	f(Milliseconds, fmt.Sprint((benchNow+reading.MaxAhead)/1000), benchNow+reading.MaxAhead)
}

func TestMaxBoundsReadingsOfEveryShape(t *testing.T) {
	t.Parallel()
	f := func(body string, partial bool, want fault.Code) {
		t.Helper()
		var d Decoder
		_, _, err := d.decode([]byte(body), Options{Now: benchNow, Max: 3}, partial)
		if want == "" && err != nil || want != "" && !fault.Is(err, want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, partial := range []bool{false, true} {
		f(withFields(`"values":{"a":1,"b":1,"c":1}`), partial, "")
		f(withFields(`"values":{"a":1,"b":1,"c":1,"d":1}`), partial, fault.TooLarge)
		f(withFields(`"metric":"m","times":[1,2,3],"values":[1,2,3]`), partial, "")
		f(withFields(`"metric":"m","times":[1,2,3],"values":[1,2,3,4]`), partial, fault.TooLarge)
		f(withFields(`"metric":"m","times":[1,2,3,4],"values":[1]`), partial, fault.TooLarge)
		f("["+strings.Repeat(withValue("1")+",", 2)+withValue("1")+"]", partial, "")
		f("["+strings.Repeat(withValue("1")+",", 3)+withValue("1")+"]", partial, fault.TooLarge)
	}
	f("["+strings.Repeat("{},", 2)+"{}]", true, "")
	f("["+strings.Repeat("{},", 3)+"{}]", true, fault.TooLarge)
}

func TestPartialKeepsWhatIsRight(t *testing.T) {
	t.Parallel()
	f := func(body string, kept []float64, refused ...string) {
		t.Helper()
		var d Decoder
		batch, items, err := d.DecodePartial([]byte(body), Options{Now: benchNow})
		if err != nil {
			t.Errorf("%s: %v", body, err)
			return
		}
		var values []float64
		for _, r := range batch.Readings {
			values = append(values, r.Value)
		}
		var said []string
		for _, item := range items {
			said = append(said, fmt.Sprint(item.Index, " ", fault.Of(item.Err).Code))
		}
		if !slices.Equal(values, kept) || !slices.Equal(said, refused) {
			t.Errorf("%s\nkept %v, refused %v", body, values, said)
		}
	}
	ok, bad := withValue("1"), withValue("null")
	f(ok, []float64{1})
	f(bad, nil, "0 value_type")
	f("["+bad+","+ok+","+withValue(`{"a":[1,"}",{}]}`)+","+ok+",5]", []float64{1, 1}, "0 value_type", "2 value_type", "4 value_type")
	f(ok+"\n"+bad+"\n"+withValue("2"), []float64{1, 2}, "1 value_type")
	f(ok+"\n"+`{"device":"d`+"\n"+withValue("2"), []float64{1, 2}, "1 malformed_json")
	f(`{"device":`+"\n"+ok, []float64{1}, "0 malformed_json")
	f(ok+ok+"\n"+withValue("2"), []float64{2}, "0 malformed_json")
	f(ok+"\ngarbage\n\n"+withValue("2")+"\n", []float64{1, 2}, "1 malformed_json")
	f(withFields(`"values":{"a":1,"b":2,"c":null}`)+"\n"+ok, []float64{1}, "0 value_type")
	f(withFields(`"values":{"a":1,"b\n":2}`)+"\n"+ok, []float64{1}, "0 text_invalid")
}

func TestPartialFailsAsAWholeWhenTheBodyIsNotJSON(t *testing.T) {
	t.Parallel()
	f := func(body string, want fault.Code) {
		t.Helper()
		var d Decoder
		if _, items, err := d.DecodePartial([]byte(body), Options{Now: benchNow}); !fault.Is(err, want) {
			t.Errorf("%s: %v, %v", body, items, err)
		}
	}
	f("", fault.EmptyBody)
	f("{", fault.Malformed)
	f(withValue("tru"), fault.Malformed)
	f("{\n{\n", fault.Malformed)
	f("["+withValue("null")+","+withValue("tru")+"]", fault.Malformed)
	f("["+withValue(strings.Repeat("[", 100)+strings.Repeat("]", 100))+"]", fault.Malformed)
	f("["+withValue("null"), fault.Malformed)
}

// The series of a refused item must not be in the batch, nor be thought to be by the items after it.
func TestRefusedItemsLeaveNoSeries(t *testing.T) {
	t.Parallel()
	var d Decoder
	body := withFields(`"values":{"a":1,"b\n":2}`) + "\n" + withFields(`"values":{"b":1,"a":2}`)
	for range 2 {
		batch, _, err := d.DecodePartial([]byte(body), Options{Now: benchNow})
		if err != nil || len(batch.Series) != 2 || batch.Series[0].Metric != "b" || batch.Series[batch.Readings[1].Series].Metric != "a" {
			t.Fatalf("got %+v, %v", batch, err)
		}
	}
}

func TestReadingsOutliveTheDecoder(t *testing.T) {
	t.Parallel()
	var d Decoder
	body := []byte(withValue("1"))
	first, err := d.Decode(body, Options{Now: benchNow})
	if err != nil {
		t.Fatal(err)
	}
	kept := first.Readings
	copy(body, strings.Repeat("x", len(body))) // the names of series may not lie in it
	if second, err := d.Decode([]byte(withValue("2")), Options{Now: benchNow}); err != nil || second.Series[0].Device != "d" || kept[0].Value != 1 {
		t.Fatalf("got %v, %v; the first request's readings are %v", second, err, kept)
	}
}

func TestInternedSeriesAreBounded(t *testing.T) {
	t.Parallel()
	var d Decoder
	body := func(from, n int) []byte {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"m%d":%d`, from+i, from+i)
		}
		return []byte(withFields(`"values":{` + b.String()[1:] + "}"))
	}
	const n = maxInterned/2 + 1
	for from := range 4 {
		batch, err := d.Decode(body(from*n, n), Options{Now: benchNow})
		if err != nil || len(batch.Series) != n {
			t.Fatal(err)
		}
		for i, r := range batch.Readings {
			if m := batch.Series[r.Series].Metric; m != fmt.Sprint("m", r.Value) || int(r.Series) != i {
				t.Fatalf("reading %d is of %s", i, m)
			}
		}
		if len(d.series.entries) > maxInterned+n {
			t.Fatalf("%d series are interned", len(d.series.entries))
		}
	}
}

func TestHugeBodiesLeaveNoHugeBuffers(t *testing.T) {
	t.Parallel()
	var d Decoder
	const n = 100_000
	numbers := strings.Repeat("1,", n-1) + "1"
	for _, body := range []string{
		withFields(`"metric":"m","times":[` + numbers + `],"values":[` + numbers + `]`),
		withFields(`"metric":"` + strings.Repeat(`\u0061`, n) + `"`),
		"[" + strings.Repeat("{},", n) + "{}]",
	} {
		_, _, _ = d.DecodePartial([]byte(body), Options{Now: benchNow})
		o := &d.object
		if kept := cap(d.readings) + cap(d.refused) + cap(o.times) + cap(o.column) + cap(o.row) + cap(o.buf); kept > n {
			t.Errorf("%.60s…: room for %d elements is kept", body, kept)
		}
	}
}
