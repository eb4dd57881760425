"""The keys that a PostgreSQL source declares, by the groups that Debezium puts them in."""
