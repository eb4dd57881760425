"""Values of Connect schemas in Avro's binary form, as Confluent's AvroData shapes it: for converters and for sinks."""
