"""The keys that every Debezium source declares, by their groups: a connector's config is made of these and its own."""
