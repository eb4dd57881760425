"""The keys that a MySQL source declares, by the groups that Debezium puts them in."""
