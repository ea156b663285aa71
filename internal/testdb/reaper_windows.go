package testdb

import "errors"

var errWindows = errors.New("the tests' PostgreSQL does not run on Windows; use WSL")

func reapAfterUs(string) error { return errWindows }

func lockFile(string) (func(), error) { return nil, errWindows }
