"""Records to rows of a relational database: Confluent's and Debezium's JDBC sink connectors."""
