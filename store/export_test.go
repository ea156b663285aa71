package store

// For the tests that need a database: internal/testdb imports this package, so they are outside it.
var (
	MigrationProvider = provider
	MissingDays       = missingDays
	CheckVersion      = checkVersion
	PoolConfigOf      = poolConfig
)
