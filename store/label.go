package store

import (
	entsql "entgo.io/ent/dialect/sql"

	"github.com/readout-dev/readout/ent/db/predicate"
	"github.com/readout-dev/readout/ent/db/series"
	"github.com/readout-dev/readout/internal/fault"
)

// LabelFilter says what the value of one label of a series is to be. All conditions that are given hold together; there
// is at least one. A series without the label fulfils none of them but Present = false.
type LabelFilter struct {
	Label   string
	Equals  *string
	In      []string // one of these; nil is no condition, an empty list matches nothing
	Prefix  *string  // the text that the value begins with, to the letter
	Matches *string  // a regular expression (RE2) for the whole value
	Present *bool    // whether there is such a label at all; its value may be empty
}

// Predicate returns the filter for queries of series. It is true or false for each series, never unknown, so its negation
// has exactly the series that it has not. Fault Invalid: no condition, or a regular expression that cannot be used.
func (f LabelFilter) Predicate() (predicate.Series, error) {
	conditions, err := f.conditions()
	if err != nil {
		return nil, err
	}
	if len(conditions) == 0 {
		return nil, fault.New(fault.Invalid, "the filter on a label says nothing: add equals, in, prefix, matches or present")
	}
	return func(s *entsql.Selector) {
		s.Where(entsql.P(func(b *entsql.Builder) {
			b.WriteString("coalesce(") // a label that is not there makes comparisons null, which NOT would keep
			for i, write := range conditions {
				if i > 0 {
					b.WriteString(" AND ")
				}
				write(b, func() { labelValue(b, s, f.Label) })
			}
			b.WriteString(", false)")
		}))
	}, nil
}

// NoSeries is the filter that matches nothing: what an empty list of filters means.
func NoSeries(s *entsql.Selector) { s.Where(entsql.False()) }

// condition writes itself, calling value where the label's value stands in it.
type condition func(b *entsql.Builder, value func())

func (f LabelFilter) conditions() (conditions []condition, err error) {
	if f.Equals != nil {
		conditions = append(conditions, compare(" = ", *f.Equals))
	}
	if f.In != nil {
		conditions = append(conditions, oneOf(f.In))
	}
	if f.Prefix != nil {
		conditions = append(conditions, compare(" ^@ ", *f.Prefix))
	}
	if f.Matches != nil {
		pattern, err := pattern(*f.Matches)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, compare(" ~ ", pattern))
	}
	if f.Present != nil {
		conditions = append(conditions, presence(*f.Present))
	}
	return conditions, nil
}

func compare(operator, with string) condition {
	return func(b *entsql.Builder, value func()) {
		value()
		b.WriteString(operator).Arg(with).WriteString("::text")
	}
}

// oneOf is one parameter whatever the number of values, of which a statement may have 65,535.
func oneOf(values []string) condition {
	return func(b *entsql.Builder, value func()) {
		value()
		b.WriteString(" = any(").Arg(values).WriteString("::text[])")
	}
}

func presence(is bool) condition {
	operator := " IS NULL"
	if is {
		operator = " IS NOT NULL"
	}
	return func(b *entsql.Builder, value func()) {
		value()
		b.WriteString(operator)
	}
}

func labelValue(b *entsql.Builder, s *entsql.Selector, label string) {
	b.WriteString("(").Ident(s.C(series.FieldLabels)).WriteString(" ->> ").Arg(label).WriteString("::text)")
}
