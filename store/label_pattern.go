package store

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"github.com/readout-dev/readout/internal/fault"
)

// What a regular expression may be at most, so that PostgreSQL compiles it in milliseconds, and matches a value in a fraction of
// one: it minds nothing longer.
const (
	maxPattern       = 256       // bytes, as it is given
	maxPatternStates = 200       // about the states of its automaton, repetitions counted out
	maxPatternText   = 16 * 1024 // bytes, as PostgreSQL reads it
	maxPatternLooks  = 8         // anchors and, twice, boundaries of words: PostgreSQL's states multiply with them
)

// pattern returns the regular expression of PostgreSQL (an ARE) that holds for a text exactly when re, in the syntax of
// RE2 as Go's regexp reads it, matches the whole text. It does not depend on the database's locale: classes are written
// out, and letters of either case as well. There are no groups that capture and no references to them, so that PostgreSQL
// needs no backtracking.
//
// Fault Invalid: re cannot be read, or is too long or too large.
//
// Sources: https://golang.org/s/re2syntax,
// https://www.postgresql.org/docs/current/functions-matching.html#POSIX-SYNTAX-DETAILS
func pattern(re string) (string, error) {
	if len(re) > maxPattern {
		return "", fault.New(fault.Invalid, "a regular expression has at most %d bytes: use several filters, or in", maxPattern)
	}
	parsed, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "the regular expression cannot be read; its syntax is RE2's: golang.org/s/re2syntax")
	}
	if states(parsed) > maxPatternStates {
		return "", errPatternSize
	}
	if looks(parsed) > maxPatternLooks {
		return "", errPatternLooks
	}
	if repeatsNothing(parsed) {
		return "", errPatternNothing
	}
	var t translation
	t.WriteString("^")
	t.group(parsed)
	t.WriteString("$")
	if t.Len() > maxPatternText {
		return "", errPatternSize
	}
	return t.String(), nil
}

var errPatternSize = fault.New(fault.Invalid, "the regular expression is too large: repeat less, or name fewer characters")

var errPatternLooks = fault.New(fault.Invalid,
	`a regular expression has at most 8 of ^ and $, or 4 of \b and \B, and none of them in a repetition`)

var errPatternNothing = fault.New(fault.Invalid,
	"the regular expression repeats, a number of times, what may be empty: (ab?){0,9} can be used, (a?b?){0,9} cannot")

// states is about how many states the automaton of re has.
func states(re *syntax.Regexp) (n int) {
	for _, sub := range re.Sub {
		n += states(sub)
	}
	switch re.Op {
	case syntax.OpConcat, syntax.OpCapture:
		return n
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpRepeat:
		return n * max(re.Min, re.Max, 1) // the parser has bounded them
	}
	return n + 1
}

// looks is how much of re looks at a place instead of a character; more than there may be when it does so in a repetition.
func looks(re *syntax.Regexp) (n int) {
	for _, sub := range re.Sub {
		n += looks(sub)
	}
	switch re.Op {
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine:
		return 1
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return 2
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		return n * (maxPatternLooks + 1)
	}
	return n
}

// repeatsNothing reports whether a part of re that matches the empty text is repeated a number of times: the automaton goes
// from each copy to all others then, and both compiling and matching take time with the square of their number.
func repeatsNothing(re *syntax.Regexp) bool {
	return re.Op == syntax.OpRepeat && re.Max != 1 && matchesNothing(re.Sub[0]) || slices.ContainsFunc(re.Sub, repeatsNothing)
}

// matchesNothing reports whether re matches the empty text, at some place.
func matchesNothing(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpNoMatch, syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false
	case syntax.OpRepeat:
		return re.Min == 0 || matchesNothing(re.Sub[0])
	case syntax.OpPlus, syntax.OpCapture:
		return matchesNothing(re.Sub[0])
	case syntax.OpConcat:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !matchesNothing(sub) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(re.Sub, matchesNothing)
	}
	return true // *, ?, and what looks at a place instead of a character
}

// translation is the ARE that is being written. Each part stands for itself: what a repetition repeats is a group.
type translation struct{ strings.Builder }

func (t *translation) group(re *syntax.Regexp) {
	t.WriteString("(?:")
	t.write(re)
	t.WriteString(")")
}

// write appends re. Laziness is left out: it changes which match is found, not whether there is one.
func (t *translation) write(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpNoMatch:
		t.WriteString("(?!)")
	case syntax.OpEmptyMatch:
		t.WriteString("(?:)")
	case syntax.OpLiteral:
		t.literal(re.Rune, re.Flags&syntax.FoldCase != 0)
	case syntax.OpCharClass:
		t.class(re.Rune)
	case syntax.OpAnyCharNotNL:
		t.class([]rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune})
	case syntax.OpAnyChar:
		t.class([]rune{0, unicode.MaxRune})
	case syntax.OpBeginText:
		t.WriteString("^") // of the whole text: so is $, as long as nobody asks for newlines to count
	case syntax.OpEndText:
		t.WriteString("$")
	case syntax.OpBeginLine:
		t.WriteString(`(?<![^\u000A])`)
	case syntax.OpEndLine:
		t.WriteString(`(?![^\u000A])`)
	case syntax.OpWordBoundary:
		t.WriteString(`(?:(?<=` + wordClass + `)(?!` + wordClass + `)|(?<!` + wordClass + `)(?=` + wordClass + `))`)
	case syntax.OpNoWordBoundary:
		t.WriteString(`(?:(?<=` + wordClass + `)(?=` + wordClass + `)|(?<!` + wordClass + `)(?!` + wordClass + `))`)
	case syntax.OpCapture:
		t.group(re.Sub[0])
	case syntax.OpStar:
		t.repeat(re.Sub[0], 0, -1)
	case syntax.OpPlus:
		t.repeat(re.Sub[0], 1, -1)
	case syntax.OpQuest:
		t.repeat(re.Sub[0], 0, 1)
	case syntax.OpRepeat:
		t.repeat(re.Sub[0], re.Min, re.Max)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			t.group(sub)
		}
	case syntax.OpAlternate:
		for i, sub := range re.Sub {
			if i > 0 {
				t.WriteString("|")
			}
			t.group(sub)
		}
	default:
		panic(fmt.Sprintf("regular expression: unknown operator %v", re.Op))
	}
}

// wordClass is what RE2 takes for a letter of a word, in any locale.
const wordClass = `[0-9A-Z_a-z]`

func (t *translation) literal(text []rune, fold bool) {
	for _, r := range text {
		if !fold {
			t.class([]rune{r, r})
			continue
		}
		same := []rune{r, r}
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			same = append(same, other, other)
		}
		t.class(same)
	}
}

// class appends the characters of some ranges, given as pairs. No text of PostgreSQL has the character 0.
func (t *translation) class(ranges []rune) {
	if len(ranges) == 2 && ranges[0] == ranges[1] && ranges[0] != 0 {
		t.rune(ranges[0])
		return
	}
	var inside translation
	for i := 0; i < len(ranges); i += 2 {
		from, to := max(ranges[i], 1), ranges[i+1]
		if from > to {
			continue
		}
		inside.rune(from)
		if from < to {
			inside.WriteString("-")
			inside.rune(to)
		}
	}
	if inside.Len() == 0 {
		t.WriteString("(?!)")
		return
	}
	t.WriteString("[" + inside.String() + "]")
}

// rune appends one character: as itself only where it cannot be taken for anything else.
func (t *translation) rune(r rune) {
	switch {
	case '0' <= r && r <= '9', 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z':
		t.WriteRune(r)
	case r <= 0xFFFF:
		fmt.Fprintf(t, `\u%04X`, r)
	default:
		fmt.Fprintf(t, `\U%08X`, r)
	}
}

// repeat appends least to most times sub; most = -1 has no end. maxPatternStates keeps both below 256, PostgreSQL's limit.
func (t *translation) repeat(sub *syntax.Regexp, least, most int) {
	t.group(sub)
	if most < 0 {
		fmt.Fprintf(t, "{%d,}", least)
		return
	}
	fmt.Fprintf(t, "{%d,%d}", least, most)
}
