"""How Java writes and reads what Kafka Connect leaves to it: numbers, texts, header values, regular expressions."""
