package store

import (
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/readout-dev/readout/ent/db"
	_ "github.com/readout-dev/readout/ent/db/runtime" // the rules and defaults of ent/schema
)

// reserved is how many of the pool's connections the entities and those who read history leave to the journal, its followers
// and the packer, so that no query, however slow, keeps readings from being stored.
const reserved = 4

// HistoryConnections returns how many connections of pool may read packed readings at once: at least one.
func HistoryConnections(pool *pgxpool.Pool) int { return max(int(pool.Config().MaxConns)/4, 1) }

// EntityConnections returns how many connections of pool the entities may use at once: at least two.
func EntityConnections(pool *pgxpool.Pool) int {
	return max(int(pool.Config().MaxConns)-reserved-HistoryConnections(pool), 2)
}

// Client returns the entities' client on the pool that everything else uses: it takes its connections from there, as
// many as EntityConnections says, and holds none of its own. Close it before the pool; closing it leaves the pool open.
// Safe for concurrent use.
func Client(pool *pgxpool.Pool) *db.Client {
	shared := stdlib.OpenDBFromPool(pool)
	shared.SetMaxOpenConns(EntityConnections(pool))
	return db.NewClient(db.Driver(entsql.OpenDB(dialect.Postgres, shared)))
}
