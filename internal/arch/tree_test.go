package arch

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/readout-dev/readout/"

// file is one parsed Go file, whatever system it is built for.
type file struct {
	path      string // from the root of the repository, as "store/pool.go"
	syntax    *ast.File
	test      bool
	generated bool
}

// folder is a folder with Go files: a package, its tests and its external tests.
type folder struct {
	path  string // from the root of the repository, as "graph/transport"
	files []file
}

// house is every folder of the module, parsed once for all tests.
var house = sync.OnceValues(func() ([]folder, error) { return load(os.DirFS("../..")) })

// readHouse returns the folders of this repository.
func readHouse(t *testing.T) []folder {
	t.Helper()
	folders, err := house()
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) < 10 {
		t.Fatalf("only %d folders with Go files found: the test looks in the wrong place", len(folders))
	}
	return folders
}

// load parses the Go files below root, without those that `go build ./...` never sees.
func load(root fs.FS) ([]folder, error) {
	var folders []folder
	at := map[string]int{} // places in folders, by path
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && unseen(d.Name()):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		f, err := parse(root, name)
		if err != nil || ignored(f.syntax) {
			return err
		}
		dir := path.Dir(name)
		if _, ok := at[dir]; !ok {
			at[dir] = len(folders)
			folders = append(folders, folder{path: dir})
		}
		folders[at[dir]].files = append(folders[at[dir]].files, f)
		return nil
	})
	return folders, err
}

// unseen names the folders that the go command does not look into, and those of npm.
func unseen(dir string) bool {
	return dir != "." && (dir[0] == '.' || dir[0] == '_' || dir == "testdata" || dir == "node_modules")
}

func parse(root fs.FS, name string) (file, error) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return file{}, err
	}
	syntax, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	return file{name, syntax, strings.HasSuffix(name, "_test.go"), ast.IsGenerated(syntax)}, nil
}

// ignored reports whether a file is a program of its own that no build includes (//go:build ignore).
func ignored(f *ast.File) bool {
	for _, group := range f.Comments {
		for _, c := range group.List {
			if x, err := constraint.Parse(c.Text); err == nil && x.String() == "ignore" && c.Pos() < f.Package {
				return true
			}
		}
	}
	return false
}

// imports returns what a file imports; packages of this module without the module's name, as "store".
func (f file) imports() []string {
	var paths []string
	for _, spec := range f.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err == nil {
			paths = append(paths, strings.TrimPrefix(name, module))
		}
	}
	return paths
}

// within reports whether a path is covered by a pattern: the path itself, or with "/..." also all below.
func within(name, pattern string) bool {
	base, tree := strings.CutSuffix(pattern, "/...")
	return name == base || tree && strings.HasPrefix(name, base+"/")
}

func withinAny(name string, patterns []string) bool {
	for _, p := range patterns {
		if within(name, p) {
			return true
		}
	}
	return false
}
