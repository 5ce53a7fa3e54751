"""Real Apache Kafka and real Apache Cassandra, from Maven Central, on this machine's Java."""
