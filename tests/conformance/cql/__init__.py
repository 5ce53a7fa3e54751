"""CQL: our nodes and Apache Cassandra, asked the same by the same driver."""
