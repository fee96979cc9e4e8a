"""The Gateway API: listeners, routes that attach, matches, filters and backends."""
