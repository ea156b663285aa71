package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"runtime"
	"strings"
)

// fileSuffix makes the variable of a secret into that of the file which holds it, as containers hand secrets over.
const fileSuffix = "_FILE"

// maxSecretFile bounds a file with a secret, in bytes: 16 keys of RSA fit in easily.
const maxSecretFile = 256 << 10

// readSecrets fills in the settings that are secrets, each from its variable or from the file that a variable names. It
// returns every problem, joined: none shows a value.
func (c *Config) readSecrets(getenv func(string) string) error {
	var problems []error
	v := reflect.ValueOf(c).Elem()
	for i, f := range reflect.VisibleFields(v.Type()) {
		if _, secret := f.Tag.Lookup("secret"); !secret {
			continue
		}
		name := f.Tag.Get("env")
		value, err := getenv(name), error(nil)
		if file := getenv(name + fileSuffix); file != "" {
			if value != "" {
				err = fmt.Errorf("%s and %s%s: set one of them", name, name, fileSuffix)
			} else if value, err = readSecretFile(file); err != nil {
				err = fmt.Errorf("%s%s: %w", name, fileSuffix, err)
			}
		}
		problems = append(problems, err)
		v.Field(i).SetString(value)
	}
	return errors.Join(problems...)
}

// readSecretFile returns what a file holds, without the space around it. A file that anybody may write is refused: who
// writes keys writes tokens.
func readSecretFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if othersMay(info, 0o002) {
		return "", fmt.Errorf("%s may be written by everybody: chmod 600 it", name)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	switch value := strings.TrimSpace(string(b)); {
	case err != nil:
		return "", err
	case len(b) > maxSecretFile:
		return "", fmt.Errorf("%s has more than %d bytes", name, maxSecretFile)
	case value == "":
		return "", fmt.Errorf("%s is empty", name)
	default:
		return value, nil
	}
}

// othersMay reports whether users who neither own the file nor are of its group have one of these rights.
func othersMay(info os.FileInfo, rights os.FileMode) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&rights != 0
}

// warnOfOpenSecrets logs which files of secrets everybody may read. They are taken all the same: so are those that Docker
// and Kubernetes mount, where nobody else is.
func warnOfOpenSecrets(ctx context.Context, getenv func(string) string, log *slog.Logger) {
	for _, s := range (Config{}).settings() {
		name := getenv(s.env + fileSuffix)
		if !s.secret || name == "" {
			continue
		}
		if info, err := os.Stat(name); err == nil && othersMay(info, 0o004) {
			log.WarnContext(ctx, "everybody on this machine may read a file of secrets", "variable", s.env+fileSuffix, "file", name)
		}
	}
}
