package store

import (
	"fmt"
	"maps"
	"slices"
)

// serverFlags returns the server's settings as flags, which win over its configuration files and ALTER SYSTEM: the
// settings that make an acknowledged reading durable cannot be lost by accident.
func serverFlags(extra map[string]string, sockets string) []string {
	all := map[string]string{
		"fsync":              "on",
		"full_page_writes":   "on",
		"synchronous_commit": "on",

		"shared_buffers":     sharedBuffers(memory()),
		"wal_buffers":        "16MB",
		"max_wal_size":       "4GB",
		"wal_compression":    "on",
		"checkpoint_timeout": "15min",
		// Nobody replicates from this server, so its log need hold no more than a crash recovery does.
		"wal_level":       "minimal",
		"max_wal_senders": "0",

		"max_connections": "64",
		"jit":             "off", // compiling costs more than these short queries
		"timezone":        "UTC",

		"logging_collector": "off", // the log is our own pipe: see serverLog
		"log_timezone":      "UTC",
		"log_line_prefix":   "%m [%p] ",
		// An error's statement could hold a user's data.
		"log_min_error_statement": "panic",
	}
	maps.Copy(all, extra)
	maps.Copy(all, map[string]string{
		"listen_addresses":        "",
		"port":                    "5432",
		"unix_socket_directories": sockets,
		"unix_socket_permissions": "0700",
	})
	var flags []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		flags = append(flags, "-c", name+"="+all[name])
	}
	return flags
}

// sharedBuffers is a quarter of the memory (in bytes; 0 = unknown) between 32 MB and 256 MB: a small machine needs the
// rest for Readout, and a large one's page cache does as well.
func sharedBuffers(memory uint64) string {
	if memory == 0 {
		return "128MB"
	}
	return fmt.Sprintf("%dMB", min(max(memory/4>>20, 32), 256))
}
