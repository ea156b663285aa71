// Package schema describes the entities: one file each. Their tables are made by store/migrations, which a test holds
// against this description; who may see and change them is said in ent/rule.
//
// Start reading in project.go: everything belongs to a project.
package schema
