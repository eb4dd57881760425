"""Records of topics to documents of Elasticsearch and OpenSearch."""
