"""Rows polled from the tables of a database, as Confluent's JDBC source polls them."""
