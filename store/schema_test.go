package store_test

import (
	"bytes"
	"testing"

	"entgo.io/ent/dialect/sql/schema"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/readout-dev/readout/internal/testdb"
	"github.com/readout-dev/readout/store"
)

// The migrations are written by hand; what ent would change about the database that they make is drift.
func TestMigrationsMakeWhatEntDescribes(t *testing.T) {
	t.Parallel()
	if missing := drift(t, testdb.New(t)); missing != "" {
		t.Errorf("a migration is missing for:\n%s", missing)
	}
}

// drift is what ent would change about a database.
func drift(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	client := store.Client(pool)
	defer client.Close()
	var changes bytes.Buffer
	if err := client.Schema.WriteTo(t.Context(), &changes, schema.WithDropColumn(true), schema.WithDropIndex(true)); err != nil {
		t.Fatal(err)
	}
	return changes.String()
}

func TestMigrationsDriftIsSeen(t *testing.T) {
	t.Parallel()
	for _, change := range []string{
		`alter table devices add column forgotten int`,
		`alter table devices drop column description`,
		`drop index device_project_id_name`,
		`create index superfluous on series (unit)`,
		`alter table keys drop constraint keys_devices_keys`,
		`alter table series alter column unit drop not null`,
		`drop table members`,
	} {
		pool := testdb.New(t)
		if _, err := pool.Exec(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if drift(t, pool) == "" {
			t.Errorf("%s goes unseen", change)
		}
	}
}
