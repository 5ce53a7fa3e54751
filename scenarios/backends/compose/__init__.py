"""Apache Kafka and ScyllaDB in containers, for people with Docker."""
