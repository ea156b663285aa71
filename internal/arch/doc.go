// Package arch holds the shape of the house as tests: who may import whom, that every package says what it is for, and a
// few habits that no linter knows.
//
// It has no code to import. Start reading in storeys_test.go, which is the plan of the house; walls_test.go and
// habits_test.go are the finer rules, and rules_test.go shows of each rule that it can fail. A change of the plan is a
// decision: docs/architecture.md says why the house stands as it does.
package arch
