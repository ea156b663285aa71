package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestEveryPackageHasAComment(t *testing.T) {
	t.Parallel()
	report(t, checkPackageComments(readHouse(t)))
}

func checkPackageComments(folders []folder) (complaints []string) {
	for _, d := range folders {
		written := slices.ContainsFunc(d.files, func(f file) bool { return !f.test && !f.generated })
		said := slices.ContainsFunc(d.files, func(f file) bool { return !f.test && f.syntax.Doc != nil })
		if written && !said {
			complaints = append(complaints, fmt.Sprintf(
				"%s has no package comment: say in 2 to 10 lines what it owns, what it does not, and where to start reading", d.path))
		}
	}
	return complaints
}

func TestOnlyCmdReadsTheEnvironment(t *testing.T) {
	t.Parallel()
	report(t, checkEnvironment(readHouse(t)))
}

func checkEnvironment(folders []folder) []string {
	return inCode(folders, []string{"cmd/..."}, func(n ast.Node) string {
		for _, name := range []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"} {
			if selects(n, "os", name) || selects(n, "syscall", name) {
				return "only cmd reads the environment; take the value from a Config, not from " + name
			}
		}
		return ""
	})
}

func TestNothingRunsBeforeMain(t *testing.T) {
	t.Parallel()
	report(t, checkInit(readHouse(t)))
}

func checkInit(folders []folder) []string {
	return inCode(folders, nil, func(n ast.Node) string {
		if f, ok := n.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			return "there is no init(): pass dependencies in, and let main's wiring say the order"
		}
		return ""
	})
}

func TestNoStubIsLeft(t *testing.T) {
	t.Parallel()
	report(t, checkStubs(readHouse(t)))
}

// checkStubs finds what gqlgen writes into a resolver that nobody has filled in.
func checkStubs(folders []folder) []string {
	return inCode(folders, nil, func(n ast.Node) string {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 || !isName(call.Fun, "panic") {
			return ""
		}
		stub := false
		ast.Inspect(call.Args[0], func(n ast.Node) bool {
			stub = stub || strings.HasPrefix(strings.ToLower(text(n)), "not implemented")
			return true
		})
		if stub {
			return "a stub that panics is left: write the function or take it away"
		}
		return ""
	})
}

func TestOnlyStoreWritesSQL(t *testing.T) {
	t.Parallel()
	report(t, checkSQL(readHouse(t)))
}

var statement = regexp.MustCompile(`(?is)^\s*(select\s.*\sfrom\s|select\s+\w+\(|insert\s+into\s|update\s+\S+\s+(\S+\s+)?set\s|delete\s+from\s|` +
	`truncate\s+(table\s)?\w+$|copy\s+\S+\s+(from|to)\s|(create|alter|drop)\s+(table|index|schema|database)\s|notify\s+\w+$|listen\s+\w+$)`)

// checkSQL finds statements among the strings. internal/testdb makes and drops databases; that is its work.
func checkSQL(folders []folder) []string {
	return inCode(folders, []string{"store", "internal/testdb", "bench/..."}, func(n ast.Node) string {
		if statement.MatchString(text(n)) {
			return "only store writes SQL, beside ent: make it a function of store"
		}
		return ""
	})
}

func TestNobodyLoopsOverRowsByHand(t *testing.T) {
	t.Parallel()
	report(t, checkRows(readHouse(t)))
}

// checkRows stands in for a linter that knows database/sql only: a loop that forgets Err takes half an answer for all.
func checkRows(folders []folder) []string {
	return inCode(folders, nil, func(n ast.Node) string {
		loop, ok := n.(*ast.ForStmt)
		if !ok {
			return ""
		}
		call, ok := loop.Cond.(*ast.CallExpr)
		if !ok || len(call.Args) != 0 {
			return ""
		}
		if s, ok := call.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Next" && isName(s.X, "rows") {
			return "read rows with pgx.CollectRows or pgx.ForEachRow, which look at Err and close them"
		}
		return ""
	})
}

// inCode shows every node of the code written by hand, tests and the excepted folders apart, to complain, which says what
// is wrong with it or "".
func inCode(folders []folder, except []string, complain func(ast.Node) string) (complaints []string) {
	for _, d := range folders {
		if withinAny(d.path, except) {
			continue
		}
		for _, f := range d.files {
			if f.test || f.generated {
				continue
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if c := complain(n); c != "" {
					complaints = append(complaints, f.path+": "+c)
				}
				return true
			})
		}
	}
	return complaints
}

func selects(n ast.Node, pkg, name string) bool {
	s, ok := n.(*ast.SelectorExpr)
	return ok && s.Sel.Name == name && isName(s.X, pkg)
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// text returns what a string literal says, "" for every other node.
func text(n ast.Node) string {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(lit.Value)
	return s
}
