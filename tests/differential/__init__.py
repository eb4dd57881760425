"""Debezium and Tailrace side by side on one MySQL: random schemas, DDL and rows, every record compared."""
