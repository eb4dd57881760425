"""Kafka Connect's runtime: workers, tasks, REST, converters, transforms, logs."""

__version__ = "0.1.0"
