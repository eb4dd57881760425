"""Values of Connect schemas as JSON text, as Kafka Connect's JsonConverter writes it: for converters and for sinks."""
