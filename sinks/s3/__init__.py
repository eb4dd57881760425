"""Topics to files in S3 or a folder, as Confluent's S3 sink lays them out; each record in exactly one of them."""
