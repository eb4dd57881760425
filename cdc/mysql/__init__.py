"""MySQL and MariaDB: binlog, snapshot, schema history."""
