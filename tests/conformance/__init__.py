"""Kafka Connect's REST API, call by call, against ours and the real one: `make conformance`."""
