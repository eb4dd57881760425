"""PostgreSQL: the WAL through logical decoding, snapshot, slots and publications."""
